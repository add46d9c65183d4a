"""`angel model feedback`: what people in Slack said of the answers."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import parts
from bot.errors import AngelError

# Imported where it is used: `angel model --help` does not need MLflow.
if TYPE_CHECKING:
    from bot.evaluation.feedback import GivenText, Votes

NO_TEXTS = (
    "No texts to review: there are only those whose authors said that they may be kept, and only where "
    "ANGEL_TRACE_TEXT=on lets them be asked."
)


@click.command()
@click.option(
    "--rows",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the texts that people gave with their votes to this new CSV file, with the columns of examples.csv.",
)
def feedback(file: Path | None) -> int:
    """The votes on the answers in Slack, by model and version.

    Piped, it is one line a version with tabs between the columns. The rows of --rows are for a person to review: each
    has the label that the vote suggests, and none of them is right before somebody has said so. Once they are right:
    angel model examples FILE.
    """
    settings = parts.settings()
    if file and file.exists():
        raise _exists(file)
    from bot.evaluation.feedback import feedback as read_feedback

    parts.tame_mlflow()
    votes, given = read_feedback(settings.mlflow_tracking_uri)
    if votes:
        _show(votes)
    else:
        click.echo("No checks yet. `angel serve` records them, and the votes on them, with ANGEL_TRACING=on.", err=True)
    if file and given:
        _write(file, given)
        click.echo(f"{len(given)} {'text' if len(given) == 1 else 'texts'} to review in {file}.", err=True)
    elif file:
        click.echo(NO_TEXTS, err=True)
    return 0


def _show(votes: Sequence["Votes"]) -> None:
    from bot.terminal import show_table

    heading = ("model", "version", "checks", "👍", "👎", "helpful")
    rows = [
        (each.model, each.version or "-", str(each.checks), str(each.helpful), str(each.unhelpful), _share(each))
        for each in votes
    ]
    show_table(heading, rows)


def _share(votes: "Votes") -> str:
    """Of the votes, how many found the answer helpful; few votes say little, so their number stands beside it."""
    from bot.evaluation.scorecard import percent

    said = votes.helpful + votes.unhelpful
    return f"{percent(votes.helpful / said)} of {said}" if said else "-"


def _write(file: Path, given: Sequence["GivenText"]) -> None:
    from bot.bulk import inert
    from bot.evaluation.examples import COLUMNS

    try:
        with open(file, "x", encoding="utf-8", newline="", opener=_for_this_account) as out:
            rows = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
            rows.writeheader()
            rows.writerows(
                {"text": inert(each.text), "label": each.likely.value, "why": inert(_why(each))} for each in given
            )
    except FileExistsError as error:
        raise _exists(file) from error
    except OSError as error:
        raise AngelError(
            f"{file} could not be written ({error.strerror}). Name a file in a folder of yours."
        ) from error


def _for_this_account(path: str, flags: int) -> int:
    """Opens a new file that only this account can read: people's words will be in it."""
    return os.open(path, flags, 0o600)


def _why(given: "GivenText") -> str:
    """What the label rests on; whoever reviews the row puts the reason in its place."""
    vote = {True: "👍", False: "👎", None: "nothing"}[given.helpful]
    by = f"{given.model} {given.version}".strip()
    return f"From a vote, to be reviewed: {by} said {given.label.value}, the author said {vote}."


def _exists(file: Path) -> AngelError:
    return AngelError(f"{file} is there already, and I don't write over it. Name another file.")
