"""A verdict, or a table, as a person reads it in a terminal or a pipe."""

import re
import sys
from collections.abc import Sequence
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.verdict import Draft, Label, Verdict

_STYLES = {Label.GOOD: "bold green", Label.CAUTION: "bold yellow", Label.UNREAD: "bold blue"}


def show(draft: Draft, verdict: Verdict, *, offline_note: str, out: IO[str] = sys.stdout) -> None:
    """Print a verdict: with colours and the words marked in the draft on a terminal, as plain lines elsewhere."""
    if out.isatty():
        _show_rich(Console(file=out, highlight=False), draft, verdict, offline_note)
    else:
        out.write("\n".join(_plain(verdict, offline_note)) + "\n")


def show_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: in columns on a terminal, one line a row with tabs between the cells elsewhere."""
    if not sys.stdout.isatty():
        for row in (heading, *rows):
            sys.stdout.write("\t".join(row) + "\n")
        return
    table = Table(*heading, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _plain(verdict: Verdict, offline_note: str) -> list[str]:
    lines = [verdict.sentence]
    lines += [f"- {_quote(finding.excerpt)}: {finding.reason}" for finding in verdict.findings]
    if verdict.rewrite:
        lines += ["Suggested rewrite:", *(f"    {line}" for line in verdict.rewrite.splitlines())]
    elif verdict.tip:
        lines += [f"Tip: {verdict.tip}"]
    lines += notes(verdict)
    lines.append(answered_by(verdict, offline_note))
    return [visible(line) for line in lines]


def _show_rich(console: Console, draft: Draft, verdict: Verdict, offline_note: str) -> None:
    console.print(Text(verdict.sentence, style=_STYLES[verdict.label]))
    if verdict.findings:
        marked = Text(visible(draft.text))
        for finding in verdict.findings:
            marked.highlight_words([visible(finding.excerpt)], "bold underline yellow")
        console.print(Padding(marked, (1, 0, 1, 2)))
        for finding in verdict.findings:
            line = Text.assemble(
                ("• ", "yellow"),
                (_quote(visible(finding.excerpt)), "yellow"),
                (f" {finding.category.title.lower()}: ", "dim"),
                visible(finding.reason),
            )
            console.print(Padding(line, (0, 0, 0, 2)))
    if verdict.rewrite:
        # No frame and no margin: what is selected here is what gets pasted.
        console.print(Text("\nSuggested rewrite:", style="dim"))
        console.print(Text(visible(verdict.rewrite), style="bold green"), "\n", sep="", end="", soft_wrap=True)
    elif verdict.tip:
        console.print(Padding(Text(f"Tip: {visible(verdict.tip)}"), (1, 0, 0, 2)))
    for note in notes(verdict):
        console.print(Text(visible(note), style="yellow"))
    console.print(Text(f"\n{answered_by(verdict, offline_note)}", style="dim"))


def notes(verdict: Verdict) -> list[str]:
    """What the author should know before they use the rewrite."""
    said = []
    if verdict.label is Label.CAUTION and not verdict.rewrite and not verdict.tip:
        said.append("The model suggested no rewrite.")
    if verdict.lost:
        said.append(f"Left out of the rewrite: {', '.join(verdict.lost)}")
    if verdict.added:
        said.append(f"Not in your draft: {', '.join(verdict.added)}")
    return said


def answered_by(verdict: Verdict, offline_note: str) -> str:
    """Which model answered; for the offline one, why, what it misses, and how to use a chat model."""
    if not verdict.offline:
        return f"Answered by {verdict.model}{f', version {verdict.version}' if verdict.version else ''}."
    if verdict.label is Label.UNREAD:
        offline_note = "It reads English alone; a chat model reads most languages."
    if verdict.fallback:
        return f"{verdict.fallback.explanation}, so the offline check answered. {offline_note}"
    return f"Answered offline. {offline_note} For a chat model, set OPENAI_API_KEY or OPENAI_BASE_URL."


def visible(text: str) -> str:
    """The text without the control characters that would make a terminal do something."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "�", text)


def _quote(text: str) -> str:
    return f"“{' '.join(text.split())}”"
