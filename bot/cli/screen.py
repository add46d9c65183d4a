"""`angel screen`: many messages from a file."""

import asyncio
import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from bot.cli import parts
from bot.errors import ModelError
from bot.verdict import Category, Draft, Tone

if TYPE_CHECKING:
    from bot.bulk import Format, Summary, Table, Writing

DONE, NOT_ALL_CHECKED, STOPPED, INTERRUPTED = 0, 1, 2, 130
AT_ONCE = 16
"""Requests under way at once: a rate limit is reached soon enough."""
PIPE = Path("-")


@click.command(short_help="Check every message in a file.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", type=click.Choice(["csv", "jsonl", "text"]), help="Of FILE, where its ending doesn't tell.")
@click.option("--column", metavar="NAME", help="The one with the messages.  [default: text, or the only one]")
@click.option("--out", type=click.Path(path_type=Path, allow_dash=True), help="A .csv or .jsonl file; - for a pipe.")
@click.option("--restart", is_flag=True, help="Begin anew, whatever is in the --out file.")
@click.option("--tone", type=click.Choice([tone.value for tone in Tone]), default=Tone.PLAYFUL.value, show_default=True)
@click.option("--context", help="A line on who will read the messages; the same for all of them.")
@click.option("--model", "model_uri", metavar="URI", help="An MLflow model to ask instead of the configured one.")
@click.option("--concurrency", type=click.IntRange(1, 1_000), help="Rows asked about at once.  [default: 16]")
def screen(
    file: Path,
    format: str | None,
    column: str | None,
    out: Path | None,
    restart: bool,
    tone: str,
    context: str | None,
    model_uri: str | None,
    concurrency: int | None,
) -> int:
    """Check every message in FILE: CSV, JSON Lines, or lines of text; - is standard input.

    Each row's verdict is written as it comes, in the order of FILE, to FILE with .screened before its ending (a text
    file's to .screened.jsonl; standard input's to standard output). Stopped in any way, the same command goes on after
    the last row that was written.

    A row that can't be read or has no message in it is written with its number and the reason. So is one that the model
    has no verdict for: unlike in `angel check`, the offline check never stands in for another model. A model that is
    slow or limits how often it may be asked is asked less often and again, for about two minutes; one that then still
    answers nobody stops the run, and the same command goes on from there.

    The exit code is 0 where every row has its verdict, 1 where some could not be checked, 2 where the run could not
    begin or had to stop, 130 after Ctrl-C.
    """
    from bot import bulk

    Draft(text="x", tone=Tone(tone), context=context)  # what it says of the context, it says before anything is loaded
    kind, out = _places(file, format, out)
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(_opened(file))
        table = bulk.read(stream, kind, column)
        writing = _writing(out, kind, table)
        chosen = parts.settings(**({"model_uri": model_uri} if model_uri else {}))
        at_once = concurrency or min(AT_ONCE, chosen.concurrency)
        model = parts.model(chosen)
        if out == PIPE:
            results = bulk.Results(writing, sys.stdout.buffer)
        else:
            options = {"format": kind.value, "column": table.column, "tone": tone, "context": context}
            options["model"] = " ".join(filter(None, (model.name, model.version)))
            results = stack.enter_context(bulk.Results.open(out, writing, options, restart=restart))
        shown = stack.enter_context(_progress(stream))
        asker = bulk.Asker(model, at_once=at_once, waiting=shown.waiting)
        batch = bulk.Batch(asker, tone=Tone(tone), context=context)
        began = time.monotonic()
        try:
            summary = asyncio.run(batch.run(table, results, shown.row))
        except (KeyboardInterrupt, ModelError) as error:
            stack.close()
            if isinstance(error, ModelError):
                click.echo(f"angel: {error}", err=True)
            on = "" if out == PIPE else " The same command goes on from there."
            where = f"after row {shown.rows:,}" if shown.rows else "before the first row was answered"
            click.echo(f"Stopped {where}.{on}", err=True)
            return STOPPED if isinstance(error, ModelError) else INTERRUPTED
    click.echo("\n".join(_told(summary, time.monotonic() - began, out)), err=True)
    return NOT_ALL_CHECKED if summary.not_checked else DONE


def _places(file: Path, format: str | None, out: Path | None) -> "tuple[Format, Path]":
    """What FILE is, and where its verdicts go."""
    from bot.bulk import Format, format_of

    kind = Format(format) if format else Format.TEXT if file == PIPE else format_of(file)
    if kind is None:
        raise click.UsageError(f"The ending of {file.name} doesn't tell its format. Add --format csv, jsonl or text.")
    if out is None:
        ending = file.suffix if kind is not Format.TEXT else ".jsonl"
        out = PIPE if file == PIPE else file.with_name(f"{file.stem}.screened{ending or f'.{kind}'}")
    if out.exists() and file.exists() and out.samefile(file):
        raise click.UsageError("--out is FILE itself. Name another.")
    return kind, out


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        # Standard input gets a reader of its own: Python takes sys.stdin's lock at exit, and a thread that waits for a
        # line holds it.
        stream = file.open("rb") if file != PIPE else _reader_of_its_own(sys.stdin)
    except OSError as error:
        raise click.FileError(str(file), hint=error.strerror) from error
    try:
        yield stream
    finally:
        if stream.seekable():  # nor is a pipe closed, for the same reason
            stream.close()


def _reader_of_its_own(standard: TextIO) -> BinaryIO:
    try:
        return os.fdopen(standard.fileno(), "rb", closefd=False)
    except io.UnsupportedOperation:  # no real file, so nothing to wait for
        return standard.buffer


def _writing(out: Path, kind: "Format", table: "Table") -> "Writing":
    from bot.bulk import Csv, Format, JsonLines, format_of

    into = format_of(out)
    if out == PIPE:
        into = Format.CSV if kind is Format.CSV else Format.JSON_LINES
    if into is Format.CSV:
        return Csv(table.columns, bom=table.bom)
    if into is Format.JSON_LINES:
        return JsonLines()
    raise click.UsageError(f"{out.name} should end in .csv or .jsonl.")


class _Shown:
    """How far the run is: a bar on a terminal, nothing elsewhere."""

    rows = end = 0

    def row(self, summary: "Summary") -> None:
        self.rows, self.end = summary.rows, summary.end

    def waiting(self, seconds: float, why: str) -> None:
        pass


@contextlib.contextmanager
def _progress(stream: BinaryIO) -> Iterator[_Shown]:
    if not sys.stderr.isatty():
        yield _Shown()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    # Bytes, since the rows of a file are only known once it is read; a pipe has no size and gets a bar without an end.
    size = os.fstat(stream.fileno()).st_size if stream.seekable() else None
    columns = (
        TextColumn("{task.fields[rows]:,} rows"), BarColumn(), TimeElapsedColumn(), TextColumn("to go:"),
        TimeRemainingColumn(), TextColumn("{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        bar = progress.add_task("", total=size or None, rows=0)

        class Bar(_Shown):
            def row(self, summary: "Summary") -> None:
                if summary.rows == summary.resumed + 1:
                    # What an earlier run has written goes by in a moment, and says nothing of how long the rest takes.
                    progress.reset(bar, total=size or None, completed=self.end)
                super().row(summary)
                done = summary.end if size else summary.rows
                progress.update(bar, description="", completed=done, rows=summary.rows)

            def waiting(self, seconds: float, why: str) -> None:
                progress.update(bar, description=f"Again in {seconds:.0f} s: {why}")

        yield Bar()


def _told(summary: "Summary", seconds: float, out: Path) -> Iterator[str]:
    took = f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    were = "was" if summary.resumed == 1 else "were"
    earlier = f" ({summary.resumed:,} {were} there from before)" if summary.resumed else ""
    rows = "row" if summary.rows == 1 else "rows"
    yield (
        f"{summary.rows:,} {rows} in {took}{earlier}: {summary.good:,} good, {summary.caution:,} caution, "
        f"{summary.not_checked:,} not checked."
    )
    if summary.categories:
        counted = (f"{Category(name).title.lower()} {count:,}" for name, count in summary.categories.most_common())
        yield f"What stings: {', '.join(counted)}."
    for number, reason in summary.problems:
        yield f"Row {number:,} was not checked. {reason}"
    if more := summary.not_checked - len(summary.problems):
        yield f"... and {more:,} more {'row' if more == 1 else 'rows, each'} with its reason in its place."
    if summary.offline:
        from bot.model.phrasebook import WHAT_IT_MISSES

        yield f"Answered by the offline check. {WHAT_IT_MISSES}"
        yield "For a chat model, set OPENAI_API_KEY or OPENAI_BASE_URL."
    if out != PIPE:
        yield f"The verdicts are in {out}"
