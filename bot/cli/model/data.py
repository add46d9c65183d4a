"""The labelled messages that a command goes by: those that come with Angel, the user's own, or a dataset in MLflow."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import parts

if TYPE_CHECKING:
    from bot.evaluation.examples import Example

data_option = click.option(
    "--data",
    metavar="FILE",
    help="Your own labelled messages: a CSV with the columns text and label (good or caution), or a dataset in MLflow, "
    "datasets:/NAME.",
)


def examples_of(data: str | None) -> "tuple[Example, ...]":
    """The labelled messages that --data names; for a dataset the store has to be open. Raises AngelError."""
    from bot.evaluation.examples import EXAMPLES, read_examples

    if data and data.startswith("datasets:/"):
        from bot.evaluation import datasets

        return datasets.read(data.removeprefix(datasets.SCHEME))
    return read_examples(Path(data) if data else EXAMPLES)


@click.command("examples", short_help="Add reviewed messages to the dataset of examples.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--into", metavar="NAME", help="The dataset.  [default: text-message-angel-examples]")
def add_examples(file: Path, into: str | None) -> int:
    """Add the reviewed messages of FILE to the dataset of examples in MLflow.

    FILE is a CSV as `angel model feedback --rows` writes it, once somebody has put each label right. The dataset begins
    with the examples that come with Angel; a message that is in it already gets the label of FILE. To evaluate and
    promote on it: --data datasets:/text-message-angel-examples
    """
    from bot.evaluation.examples import read_examples

    examples = read_examples(file)
    parts.registry()
    from bot.evaluation import datasets

    name = into or datasets.DATASET
    added, now = datasets.merge(name, examples)
    changed = len(examples) - added
    click.echo(f"{added} new, {changed} changed: {name} has {now} {'example' if now == 1 else 'examples'} now.")
    click.echo(f"Next: angel model evaluate --data datasets:/{name}")
    return 0
