"""The labelled messages that a command goes by: those that come with Angel, or the user's own."""

from pathlib import Path

import click

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own labelled messages: a CSV with the columns text and label (good or caution).",
)
