"""A scorecard for people: a page, tables for the terminal, a picture. Pure: every figure is the scorecard's."""

import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import jinja2
from rich.table import Table
from rich.text import Text

from bot.evaluation.changes import Change, ChangeKind, compare
from bot.evaluation.scorecard import Scorecard, ScoredRow, Share, percent
from bot.verdict import JUDGEMENTS, Label

_T = TypeVar("_T")

CHECK_TITLES = {
    "keeps_particulars": "keeps every number, link and mention",
    "keeps_names": "keeps every name",
    "adds_nothing": "adds no number, link, mention or name",
    "differs": "differs from the draft",
    "sane_length": "is about as long as the draft",
    "is_for_this_draft": "isn't what it says for other drafts, too",
    "passes_own_check": "passes this model's own check",
    "passes_offline_check": "passes the offline check",
}
CHANGE_TITLES = {
    ChangeKind.BROKEN: "broken",
    ChangeKind.FIXED: "fixed",
    ChangeKind.REWRITE_SPOILED: "rewrite spoiled",
    ChangeKind.REWRITE_MENDED: "rewrite mended",
}
_WRONG_SHOWN = 10
"""Rows of each group in a terminal. The report has all of them."""
_STYLES = {Label.GOOD: "green", Label.CAUTION: "yellow", None: "red"}


def html_report(card: Scorecard, *, against: Scorecard | None = None, reasons: Sequence[str] | None = None) -> str:
    """The whole evaluation as one page that fetches nothing.

    `against` adds another model's figures and the rows that changed from it; `reasons` are the gate's, None where it
    was not asked. Raises AngelError where the two models saw different examples.
    """
    changes = compare(against, card) if against else ()
    return (
        _templates()
        .get_template("report.html")
        .render(
            card=card,
            against=against,
            reasons=reasons,
            changes=changes,
            change_summary=_change_summary(changes),
            summary=_summary(card),
            verdict_shares=_side_by_side(_verdict_shares(card), _verdict_shares(against) if against else []),
            rewrite_shares=_side_by_side(_rewrite_shares(card), _rewrite_shares(against) if against else []),
            running_figures=_side_by_side(_running_figures(card), _running_figures(against) if against else []),
            matrix_rows=list(JUDGEMENTS),
            matrix_columns=_matrix_columns(card),
            wrong_groups=_wrong_groups(card.rows),
        )
    )


def html_responses(card: Scorecard) -> str:
    """Message and response side by side, as MLflow's tutorial shows them in its notebook."""
    return _templates().get_template("responses.html").render(card=card)


def terminal_figures(card: Scorecard, *, against: Scorecard | None = None) -> Table:
    """The figures of the report for a terminal, without the rows."""
    table = Table(title=Text(f"How {_shown(_name(card))} did on {len(card.rows)} messages"), title_justify="left")
    table.add_column("")
    table.add_column("share", justify="right")
    table.add_column("rows", justify="right")
    table.add_column("95 % interval", justify="right")
    if against:
        table.add_column(Text(_shown(_name(against))), justify="right")
    for shares in (_verdict_shares, _rewrite_shares):
        for title, share, other in _side_by_side(shares(card), shares(against) if against else []):
            low, high = share.interval
            cells = [title, _rate(share.rate), f"{share.count} of {share.of}"]
            cells.append(f"{percent(low)} to {percent(high)}" if share.of else "unknown")
            table.add_row(*cells, *([_rate(other.rate) if other else ""] if against else []))
        table.add_section()
    for title, mine, theirs in _side_by_side(_running_figures(card), _running_figures(against) if against else []):
        table.add_row(title, mine, "", "", *([theirs or ""] if against else []))
    return table


def terminal_responses(card: Scorecard) -> Table:
    """Message and response side by side, for a terminal."""
    table = Table(title="Formatted responses", title_justify="left", show_lines=True)
    for heading in ("Input text", "Response", "Should be"):
        table.add_column(heading, overflow="fold")
    for row in card.rows:
        label = row.outcome.label
        response = Text(row.outcome.verdict.sentence if row.outcome.verdict else "No verdict", style=_STYLES[label])
        if row.outcome.verdict and row.outcome.verdict.rewrite:
            response.append(f"\nSuggested rewrite: {_shown(row.outcome.verdict.rewrite)}", style="default")
        if row.outcome.error:
            response.append(f" ({_shown(row.outcome.error)})")
        expected = Text(row.example.label, style="" if row.outcome.right else "bold red")
        table.add_row(Text(_shown(row.example.text)), response, expected)
    return table


def terminal_wrong(card: Scorecard) -> Table:
    """The rows that went wrong, group by group as in the report."""
    table = Table(title="What went wrong", title_justify="left", show_lines=True)
    for heading in ("", "Message", "Response", "Why it is labelled so"):
        table.add_column(heading, overflow="fold")
    for title, rows in _wrong_groups(card.rows):
        for row in rows[:_WRONG_SHOWN]:
            cells = (Text(_shown(row.example.text)), _terminal_answer(row), Text(_shown(row.example.why)))
            table.add_row(title, *cells)
        if len(rows) > _WRONG_SHOWN:
            table.add_row(title, f"and {len(rows) - _WRONG_SHOWN} more, in the report", "", "")
    return table


def terminal_changes(changes: Sequence[Change]) -> Table:
    """The rows that two models answer differently, those that got worse first."""
    table = Table(title=_change_summary(changes), title_justify="left", show_lines=True)
    for heading in ("Change", "Message", "Before", "After"):
        table.add_column(heading, overflow="fold")
    for change in changes:
        table.add_row(
            Text(CHANGE_TITLES[change.kind], style="red" if _got_worse(change) else "green"),
            Text(_shown(change.after.example.text)),
            _terminal_answer(change.before),
            _terminal_answer(change.after),
        )
    return table


def confusion_picture(card: Scorecard) -> bytes:
    """The confusion matrix as a PNG, for the list of artifacts in MLflow."""
    # Half a second to import, and nobody needs it before an evaluation ends.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = _matrix_columns(card)
    counts = [[card.count(expected, label) for label in columns] for expected in JUDGEMENTS]
    largest = max((cell for row in counts for cell in row), default=0) or 1
    figure = Figure(figsize=(1.9 + 1.5 * len(columns), 4.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(counts, cmap="Purples", vmin=0, vmax=largest)
    axes.set_xticks(range(len(columns)), [label or "no verdict" for label in columns])
    axes.set_yticks(range(len(JUDGEMENTS)), list(JUDGEMENTS))
    axes.set_xlabel("the model said")
    axes.set_ylabel("it should be")
    # A model's name may hold a $, which matplotlib would read as mathematics.
    axes.set_title(f"{_name(card)}, {len(card.rows)} messages", parse_math=False, fontsize=11, wrap=True)
    for y, row in enumerate(counts):
        for x, cell in enumerate(row):
            color = "white" if cell > largest / 2 else "black"
            axes.text(x, y, str(cell), ha="center", va="center", fontsize=18, color=color)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "rate": _rate,
        "milliseconds": _milliseconds,
        "check_title": _check_title,
        "change_title": CHANGE_TITLES.get,
    }
    return templates


def _name(card: Scorecard) -> str:
    return f"{card.model} version {card.version}" if card.version else card.model


def _summary(card: Scorecard) -> str:
    """The first sentences of the report: what somebody who reads nothing else should know."""
    caught, alarms = card.recall, card.false_alarms
    sentences = [
        f"It caught {caught.count} of {caught.of} messages that sting"
        f" and raised a false alarm on {alarms.count} of {alarms.of} that don't."
    ]
    if card.clean.of:
        sentences.append(f"{card.clean.count} of its {card.clean.of} rewrites pass every check.")
    if card.no_verdict.count:
        codes = ", ".join(f"{code} {times}" for code, times in card.errors.items())
        messages = "message" if card.no_verdict.count == 1 else "messages"
        sentences.append(f"{card.no_verdict.count} {messages} got no verdict ({codes}).")
    return " ".join(sentences)


def _verdict_shares(card: Scorecard) -> list[tuple[str, Share]]:
    return [
        ("Caution recall (stings caught)", card.recall),
        ("Caution precision (cautions right)", card.precision),
        ("False alarms (on fine messages)", card.false_alarms),
        ("No verdict (unreadable or failed)", card.no_verdict),
    ]


def _rewrite_shares(card: Scorecard) -> list[tuple[str, Share]]:
    checks = [(_check_title(name), share) for name, share in card.checks.items()]
    return [("Cautions with a rewrite", card.offered), *checks, ("Clean rewrites: all of these", card.clean)]


def _running_figures(card: Scorecard) -> list[tuple[str, str]]:
    cost = card.cost_per_thousand
    return [
        ("Latency, p50", _milliseconds(card.p50_ms)),
        ("Latency, p95", _milliseconds(card.p95_ms)),
        ("Tokens in", "unknown" if card.input_tokens is None else f"{card.input_tokens:,}"),
        ("Tokens out", "unknown" if card.output_tokens is None else f"{card.output_tokens:,}"),
        ("Cost per thousand messages", "unknown" if cost is None else f"${cost:,.2f}"),
    ]


def _side_by_side(mine: Iterable[tuple[str, _T]], theirs: Iterable[tuple[str, _T]]) -> list[tuple[str, _T, _T | None]]:
    other = dict(theirs)
    return [(title, value, other.get(title)) for title, value in mine]


def _matrix_columns(card: Scorecard) -> list[Label | None]:
    """The third column only where there is something in it."""
    return [*JUDGEMENTS, None] if card.no_verdict.count else [*JUDGEMENTS]


def _wrong_groups(rows: Sequence[ScoredRow]) -> list[tuple[str, list[ScoredRow]]]:
    def of(expected: Label, label: Label) -> list[ScoredRow]:
        return [row for row in rows if row.example.label is expected and row.outcome.label is label]

    caught = of(Label.CAUTION, Label.CAUTION)
    return [
        ("Stings it missed", of(Label.CAUTION, Label.GOOD)),
        ("False alarms", of(Label.GOOD, Label.CAUTION)),
        ("No verdict", [row for row in rows if row.outcome.label is None]),
        ("Rewrites that fail a check", [row for row in caught if row.failed_checks]),
        ("Cautions without a rewrite", [row for row in caught if row.outcome.rewrite is None]),
    ]


def _change_summary(changes: Sequence[Change]) -> str:
    counts = Counter(change.kind for change in changes)
    return ", ".join(f"{title}: {counts[kind]}" for kind, title in CHANGE_TITLES.items()).capitalize()


def _got_worse(change: Change) -> bool:
    return change.kind in (ChangeKind.BROKEN, ChangeKind.REWRITE_SPOILED)


def _terminal_answer(row: ScoredRow) -> Text:
    label = row.outcome.label
    answer = Text(label or f"no verdict ({_shown(row.outcome.error or '')})", style=_STYLES[label])
    if row.outcome.verdict and row.outcome.verdict.rewrite:
        answer.append(f"\n{_shown(row.outcome.verdict.rewrite)}", style="default")
    if row.failed_checks:
        answer.append(f"\nfailed checks: {'; '.join(map(_check_title, row.failed_checks))}", style="dim")
    return answer


def _shown(text: str) -> str:
    """The text without control characters: a message must not be able to steer somebody's terminal."""
    return "".join(each if each == "\n" or unicodedata.category(each) != "Cc" else " " for each in text)


def _check_title(name: str) -> str:
    return CHECK_TITLES.get(name, name.replace("_", " "))


def _rate(rate: float | None) -> str:
    return "unknown" if rate is None else percent(rate)


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"
