"""`angel model evaluate`: how a model does on labelled messages."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import parts
from bot.cli.logs import without_secrets
from bot.cli.model.data import data_option, examples_of
from bot.settings import Settings

# Imported where they are used: `angel model --help` needs neither MLflow nor rich.
if TYPE_CHECKING:
    from bot.evaluation.examples import Example
    from bot.evaluation.kept_answers import KeptAnswers
    from bot.evaluation.prompts import Prompt
    from bot.evaluation.registry import Registry, Version
    from bot.evaluation.runs import Recorded
    from bot.evaluation.scorecard import Outcome, Scorecard, Share
    from bot.evaluation.subject import Subject

INTERRUPTED = 130
THE_SAME_COMMAND = "The same command goes on from there."


@click.command()
@click.option(
    "--model", "uri", metavar="URI", help="What to evaluate.  [default: the candidate, else what `show` names]"
)
@data_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N messages.")
@click.option("--against", metavar="URI", help="Another model to ask the same, and to compare with.")
@click.option("--again", is_flag=True, help="Ask about every message, also where an answer is kept.")
@click.option(
    "--judge", metavar="MODEL", help="A model that judges each rewrite; it should be another than the one judged."
)
@click.option("--embeddings", metavar="MODEL", help="An embeddings model: adds how near each rewrite is in meaning.")
def evaluate(
    uri: str | None,
    data: str | None,
    limit: int | None,
    against: str | None,
    again: bool,
    judge: str | None,
    embeddings: str | None,
) -> int:
    """Measure a model on labelled messages.

    They are the ones that come with Angel, or those of --data.

    Recall, false alarms and the quality of the rewrites are told apart, each with its 95 % interval, and put into
    MLflow with every row, a picture and a report to read; so the messages of a --data file end up in MLflow. Each
    caution that is right costs a second request, since its rewrite is checked too.

    Ctrl-C stops it, and the same command goes on from there. What a model has said is kept for 90 days in the folder
    evaluations in ANGEL_CACHE_DIR, under a hash of the message, so that an evaluation run again asks only about
    messages that are new; --again asks about all of them.

    --judge asks up to four questions about each rewrite, one request each, and first measures how far that judge agrees
    with rewrites that people labelled.

    A server that limits how often it may be asked is waited for; no message counts as missed because of it.
    """
    from bot.evaluation.examples import EXAMPLES, digest

    settings, registry = parts.registry()
    current = examples_of(data)
    examples = current[:limit]
    named = data if data and data.startswith("datasets:/") else Path(data).name if data else EXAMPLES.name
    from bot.evaluation.kept_answers import KeptAnswers
    from bot.evaluation.registry import CANDIDATE
    from bot.evaluation.scorecard import score

    candidate = registry.find(CANDIDATE)  # also shows, before any message is paid for, that MLflow answers
    uris = [uri or (candidate.uri if candidate else None), *([against] if against else [])]
    subjects = [_subject(settings, registry, each) for each in uris]
    for subject in subjects:
        click.echo(f"Asking {subject.title} about {_messages(len(examples))}.", err=True)
    kept = [KeptAnswers(settings.cache_dir, subject, settings.openai_base_url or "") for subject in subjects]
    for each in kept if again else ():
        each.forget()
    outcomes = _ask(settings, subjects, kept, examples)
    agreement: dict[str, Share] = {}
    if judge:
        outcomes, agreement = _judged(settings, judge, kept, outcomes)
    if embeddings:
        from bot.evaluation.embeddings import nearness

        with _status("Comparing meanings"):
            outcomes = [nearness(each, embeddings) for each in outcomes]
    cards = [
        score(each, model=subject.model.name, version=subject.model.version, agreement=agreement)
        for subject, each in zip(subjects, outcomes, strict=True)
    ]
    with _interruptible(lambda: len(examples), len(examples)), _status("Putting it into MLflow"):
        place, reasons = _record(registry, subjects, cards, named, digest(current))
    kept[0].forget_old_ones()
    _show_evaluation(cards[0], cards[1] if against else None)
    click.echo(f"report: {without_secrets(place.report)}")
    click.echo(f"run: {place.run_id}")
    click.echo(f"store: {without_secrets(registry.tracking_uri)}")
    _say_next(subjects[0].version, reasons, data)
    return 0


def evaluate_on(
    settings: Settings,
    registry: "Registry",
    uri: str,
    start: "Prompt",
    config: "Mapping[str, object]",
    examples: "Sequence[Example]",
) -> None:
    """Evaluate a version on these examples beside the instructions it stems from, and show both."""
    then = "The version stays the candidate: angel model evaluate"
    from bot.evaluation.kept_answers import KeptAnswers
    from bot.evaluation.scorecard import score
    from bot.evaluation.subject import unregistered
    from bot.model.loading import load_chat

    before = load_chat({**config, "instructions": start.instructions}, settings.cache_dir)
    subjects = [_subject(settings, registry, uri), unregistered(before)]
    kept = [KeptAnswers(settings.cache_dir, each, settings.openai_base_url or "") for each in subjects]
    outcomes = _ask(settings, subjects, kept, examples, then)
    cards = [
        score(each, model=subject.model.name, version=subject.model.version)
        for subject, each in zip(subjects, outcomes, strict=True)
    ]
    from bot.evaluation.runs import record

    with _interruptible(lambda: len(examples), len(examples), then), _status("Putting it into MLflow"):
        record(registry, subjects[0], cards[0], data="held-out", against=cards[1])
    _show_evaluation(*cards)


def _subject(settings: Settings, registry: "Registry", uri: str | None) -> "Subject":
    from bot.evaluation.subject import subject

    chosen = settings.model_copy(update={"model_uri": uri}) if uri else settings
    return subject(parts.source(chosen), registry, settings.cache_dir)


def _ask(
    settings: Settings,
    subjects: "Sequence[Subject]",
    kept: "Sequence[KeptAnswers]",
    examples: "Sequence[Example]",
    then: str = THE_SAME_COMMAND,
) -> "list[list[Outcome]]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from bot.bulk import Asker
    from bot.evaluation.asking import CONCURRENT, ask
    from bot.model.loading import load_offline

    offline = load_offline(settings.cache_dir)
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    answers, wanted = 0, len(examples) * len(subjects)

    def answered(more: int) -> None:
        nonlocal answers
        answers += more
        bar.update(task, advance=more, description="Asking")

    def waiting(seconds: float, why: str) -> None:
        bar.update(task, description=f"Again in {seconds:.0f} s: {why}")

    with (
        _interruptible(lambda: answers, wanted, then),
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar,
    ):
        task = bar.add_task("Asking", total=wanted)
        return [
            ask(
                subject.model,
                offline,
                examples,
                kept=each,
                asker=Asker(subject.model, at_once=min(CONCURRENT, settings.concurrency), waiting=waiting),
                answered=answered,
            )
            for subject, each in zip(subjects, kept, strict=True)
        ]


def _judged(
    settings: Settings, judge: str, kept: "Sequence[KeptAnswers]", outcomes: "list[list[Outcome]]"
) -> "tuple[list[list[Outcome]], dict[str, Share]]":
    """The outcomes with what the judge says of their rewrites, and how far it agrees with people."""
    from bot.evaluation import judges

    done = 0

    def count(outcome: "Outcome") -> None:
        nonlocal done
        done += 1

    rewrites = sum(each.rewrite is not None for asked in outcomes for each in asked)
    with _interruptible(lambda: done, rewrites), _status(f"Asking {judge} about {rewrites} rewrites"):
        agreement = judges.agreement(judge, settings.openai_base_url)
        judged = []
        for asked, place in zip(outcomes, kept, strict=True):

            def keep(outcome: "Outcome", place: "KeptAnswers" = place) -> None:
                place.add(outcome)
                count(outcome)

            judged.append(judges.judge(asked, judge, settings.openai_base_url, keep))
    for name, share in agreement.items():
        click.echo(f"{judge} agrees with people on {name.removeprefix('judge_').replace('_', ' ')}: {share}", err=True)
    return judged, agreement


def _record(
    registry: "Registry", subjects: "Sequence[Subject]", cards: "Sequence[Scorecard]", data: str, current: str
) -> "tuple[Recorded, list[str] | None]":
    """Each evaluation into a run of its own: where the first one stands, and what the gate, if asked, says of it."""
    from bot.evaluation.registry import CHAMPION
    from bot.evaluation.runs import record

    first, card = subjects[0], cards[0]
    for subject, other in zip(subjects[1:], cards[1:], strict=True):
        record(registry, subject, other, data=data)
    reasons = None
    if first.version and CHAMPION not in first.version.aliases:
        reasons = registry.reasons_against_figures(first.version, card, current)
    place = record(registry, first, card, data=data, against=cards[1] if len(cards) > 1 else None, reasons=reasons)
    return place, reasons


def _show_evaluation(card: "Scorecard", other: "Scorecard | None") -> None:
    from rich.console import Console

    from bot.evaluation import report
    from bot.evaluation.changes import compare

    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(report.terminal_figures(card, against=other))
    if any(not row.outcome.right or row.failed_checks for row in card.rows):
        console.print(report.terminal_wrong(card))
    if other:
        console.print(report.terminal_changes(compare(other, card)))
    tutorial = tuple(row for row in card.rows if row.example.slice == "tutorial") or card.rows[:5]
    console.print(report.terminal_responses(card.model_copy(update={"rows": tutorial})))


def _say_next(version: "Version | None", reasons: list[str] | None, data: str | None) -> None:
    if version is None or reasons is None:
        return
    if not reasons:
        also = f" --data {data}" if data else ""
        click.echo(f"Next: it passes the gate, so: angel model promote {version.number}{also}")
        return
    click.echo("It does not pass the gate:")
    for reason in reasons:
        click.echo(f"- {reason}")


@contextmanager
def _interruptible(done: Callable[[], int], of: int, then: str = THE_SAME_COMMAND) -> Iterator[None]:
    """Ctrl-C is one line on how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nStopped after {done()} of {_messages(of)}. {then}", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None


@contextmanager
def _status(what: str) -> Iterator[None]:
    from rich.console import Console

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
