"""`angel model`: the model that answers, and its life in MLflow."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import parts
from bot.cli.feedback import feedback
from bot.errors import AngelError
from bot.settings import Settings

# Imported where they are used: `angel model --help` needs neither MLflow nor rich.
if TYPE_CHECKING:
    from bot.model.evaluation import Kept, Recorded, Subject
    from bot.model.examples import Example
    from bot.model.registry import Registry, Version
    from bot.model.scorecard import Outcome, Scorecard

NOT_PROMOTED = 1
INTERRUPTED = 130

UNSET = "unset"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", UNSET)
"""OpenAI's (openai/types/shared/reasoning_effort.py), and one for sending none at all."""
ANSWER_KEYS = ("json", "findings", "verdict", "rewrite")
"""What instructions have to mention for a server that knows no schemas to answer in the right form."""
DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own labelled messages: a CSV with the columns text and label (good or caution).",
)


@click.group()
def model() -> None:
    """The model that answers, and its life in MLflow.

    A change of the prompt or the chat model goes: log, evaluate, promote; and rollback where it was none for the
    better. Everything is kept at MLFLOW_TRACKING_URI, or in mlflow.db in this folder where that is not set.
    """


model.add_command(feedback)


@model.command()
def show() -> None:
    """What would be loaded, and why."""
    chosen = parts.source(parts.settings())
    name = chosen.uri or (chosen.config or {}).get("model") or "the built-in offline check"
    click.echo(f"model: {name}")
    click.echo(f"why: {chosen.why}")
    for key in ("temperature", "reasoning_effort", "max_tokens"):
        if chosen.config:
            click.echo(f"{key}: {chosen.config[key] if chosen.config[key] is not None else 'not sent'}")


@model.command()
@click.option(
    "--model", "name", metavar="NAME", help="The chat model to ask.  [default: OPENAI_MODEL, or the built-in]"
)
@click.option("--temperature", type=click.FloatRange(0, 2), help="Not sent where left out: reasoning models refuse it.")
@click.option(
    "--reasoning-effort", type=click.Choice(EFFORTS), default="none", show_default=True, help="unset sends none at all."
)
@click.option(
    "--max-tokens", type=click.IntRange(min=1), default=600, show_default=True, help="The most a rewrite may take."
)
@click.option("--prompt", type=click.Path(path_type=Path), help="A text file with instructions of your own.")
def log(
    name: str | None, temperature: float | None, reasoning_effort: str, max_tokens: int, prompt: Path | None
) -> int:
    """Log a version of the chat model; it becomes the candidate.

    No key and no server are needed for it. Where a server is configured, MLflow tries the model on one message.
    """
    instructions = _instructions(prompt) if prompt else None
    settings, registry = _registry()
    from bot.model import chat

    config = chat.config(
        name or settings.openai_model or chat.DEFAULT_MODEL,
        temperature=temperature,
        reasoning_effort=None if reasoning_effort == UNSET else reasoning_effort,
        max_tokens=max_tokens,
        **({"instructions": instructions} if instructions else {}),
    )
    logged = registry.log(config)
    click.echo(f"Version {logged.version} is the candidate now. It asks {config['model']}.")
    click.echo(f"uri: {logged.uri}")
    click.echo(f"run: {logged.run_id}")
    click.echo(f"prompt: version {logged.prompt_version}")
    click.echo(f"store: {registry.tracking_uri}")
    click.echo("Next: angel model evaluate")
    return 0


@model.command()
@click.option(
    "--model", "uri", metavar="URI", help="What to evaluate.  [default: the candidate, else what `show` names]"
)
@DATA
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N messages.")
@click.option("--against", metavar="URI", help="Another model to ask the same, and to compare with.")
def evaluate(uri: str | None, data: Path | None, limit: int | None, against: str | None) -> int:
    """Measure a model on labelled messages.

    They are the ones that come with Angel, or those of --data.

    Recall, false alarms and the quality of the rewrites are told apart, each with its 95 % interval, and put into
    MLflow with every row, a picture and a report to read; so the messages of a --data file end up in MLflow. Each
    caution that is right costs a second request, since its rewrite is checked too.

    Ctrl-C stops it, and the same command goes on from there. For that, what the model has said is kept in the folder
    evaluations in ANGEL_CACHE_DIR, under a hash of the message, and deleted when the evaluation is in MLflow.
    """
    from bot.model.examples import EXAMPLES, digest, read_examples

    current = read_examples(data or EXAMPLES)
    examples = current[:limit]
    settings, registry = _registry()
    from bot.model.evaluation import Kept
    from bot.model.registry import CANDIDATE
    from bot.model.scorecard import score

    candidate = registry.find(CANDIDATE)  # also shows, before any message is paid for, that MLflow answers
    uris = [uri or (candidate.uri if candidate else None), *([against] if against else [])]
    subjects = [_subject(settings, registry, each) for each in uris]
    for subject in subjects:
        click.echo(f"Asking {subject.title} about {_messages(len(examples))}.", err=True)
    kept = [Kept(settings.cache_dir, subject, settings.openai_base_url or "") for subject in subjects]
    outcomes = _ask(settings, subjects, kept, examples)
    cards = [
        score(each, model=subject.model.name, version=subject.model.version)
        for subject, each in zip(subjects, outcomes, strict=True)
    ]
    with _interruptible(lambda: len(examples), len(examples)), _status("Putting it into MLflow"):
        place, reasons = _record(registry, subjects, cards, (data or EXAMPLES).name, digest(current))
    for each in kept:
        each.delete()
    _show_evaluation(cards[0], cards[1] if against else None)
    click.echo(f"report: {place.report}")
    click.echo(f"run: {place.run_id}")
    click.echo(f"store: {registry.tracking_uri}")
    _say_next(subjects[0].version, reasons, data)
    return 0


@model.command()
@click.argument("version", default="candidate")
@click.option("--force", metavar="REASON", help="Promote whatever the gate says. The reason is recorded in MLflow.")
@DATA
def promote(version: str, force: str | None, data: Path | None) -> int:
    """Make VERSION the champion, which the bot follows.

    VERSION is a number or an alias; the candidate where it is left out. It has to pass the gate: evaluated on the
    current examples (or on those of --data), few enough false alarms, recall no worse than the champion's, clean
    rewrites. The exit code is 1 where it does not pass, with the reasons.
    """
    if force is not None and not force.strip():
        raise click.UsageError('Say why: angel model promote --force "the old one is retired on Friday"')
    from bot.model.examples import EXAMPLES, digest, read_examples

    examples = digest(read_examples(data or EXAMPLES))
    _, registry = _registry()
    from bot.model.registry import CHAMPION

    wanted = registry.version(version)
    if CHAMPION in wanted.aliases:
        click.echo(f"Version {wanted.number} is the champion already.")
        return 0
    reasons = registry.reasons_against(wanted, examples)
    if reasons and not force:
        click.echo(f"Version {wanted.number} was not promoted:", err=True)
        for reason in reasons:
            click.echo(f"- {reason}", err=True)
        return NOT_PROMOTED
    if force:
        registry.note_forced(wanted, force.strip(), reasons)
    before = registry.make_champion(wanted)
    click.echo(f"Version {wanted.number} ({wanted.model}) is the champion now.")
    if reasons:
        click.echo("The gate would have refused it:")
    for reason in reasons:
        click.echo(f"- {reason}")
    if before:
        click.echo(f"Version {before.number} is kept as previous. To go back: angel model rollback")
    return 0


@model.command()
def rollback() -> int:
    """Make the previous champion champion again.

    A second time undoes it.
    """
    _, registry = _registry()
    left, now = registry.roll_back()
    click.echo(f"Version {now.number} ({now.model}) is the champion again; version {left.number} is previous now.")
    return 0


@model.command("list")
@DATA
def list_(data: Path | None) -> int:
    """The versions and their figures, newest first.

    The figures are those on the current examples, or on those of --data. Piped, it is one line a version with tabs
    between the columns.
    """
    from bot.model.examples import EXAMPLES, digest, read_examples

    examples = digest(read_examples(data or EXAMPLES))
    _, registry = _registry()
    versions = registry.versions()
    if not versions:
        click.echo("No model has been logged yet. Begin with: angel model log", err=True)
        return 0
    from bot.terminal import show_table

    heading = (
        "version",
        "aliases",
        "model",
        "prompt",
        "recall",
        "false alarms",
        "clean rewrites",
        "evaluated",
        "logged",
    )
    show_table(heading, [_listed(registry, version, examples) for version in versions])
    return 0


def _listed(registry: "Registry", version: "Version", examples: str) -> tuple[str, ...]:
    from bot.model.scorecard import percent

    metrics = registry.metrics(version, examples)
    figures = [
        percent(metrics[name]) if metrics and name in metrics else "-"
        for name in ("caution_recall", "false_alarms", "rewrites_clean")
    ]
    return (
        version.number,
        ", ".join(version.aliases) or "-",
        version.model,
        version.tags.get("prompt_version", "-"),
        *figures,
        "yes" if metrics else "on other examples" if version.evaluated else "no",
        version.created.astimezone().strftime("%Y-%m-%d %H:%M"),
    )


def _registry() -> tuple[Settings, "Registry"]:
    settings = parts.settings()
    from bot.model.registry import Registry

    parts.tame_mlflow()
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it tells of every retry; the error at their end is ours
    return settings, Registry(settings.mlflow_tracking_uri)


def _instructions(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise AngelError(
            f"{path} could not be opened ({error.strerror}). Name a text file with the instructions."
        ) from error
    except UnicodeDecodeError:
        raise AngelError(f"{path} is not UTF-8 text. Save it as such and try again.") from None
    if not text.strip():
        raise AngelError(
            f"{path} is empty. Write the instructions into it, or leave --prompt out for the built-in ones."
        )
    missing = [word for word in ANSWER_KEYS if word not in text.casefold()]
    if missing:
        click.echo(
            f"Note: {path} doesn't mention {', '.join(missing)}. Servers without structured outputs then won't know "
            "the form of the answer; the evaluation will tell.",
            err=True,
        )
    return text


def _subject(settings: Settings, registry: "Registry", uri: str | None) -> "Subject":
    from bot.model.evaluation import subject

    chosen = settings.model_copy(update={"model_uri": uri}) if uri else settings
    return subject(parts.source(chosen), registry, settings.cache_dir)


def _ask(
    settings: Settings, subjects: "Sequence[Subject]", kept: "Sequence[Kept]", examples: "Sequence[Example]"
) -> "list[list[Outcome]]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from bot.model.evaluation import CONCURRENT, ask
    from bot.model.loading import load_offline

    offline = load_offline(settings.cache_dir)
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    answers, wanted = 0, len(examples) * len(subjects)

    def answered(more: int) -> None:
        nonlocal answers
        answers += more
        bar.advance(task, more)

    with (
        _interruptible(lambda: answers, wanted),
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar,
    ):
        task = bar.add_task("Asking", total=wanted)
        return [
            ask(
                subject.model,
                offline,
                examples,
                kept=each,
                concurrency=min(CONCURRENT, settings.concurrency),
                answered=answered,
            )
            for subject, each in zip(subjects, kept, strict=True)
        ]


def _record(
    registry: "Registry", subjects: "Sequence[Subject]", cards: "Sequence[Scorecard]", data: str, current: str
) -> "tuple[Recorded, list[str] | None]":
    """Each evaluation into a run of its own: where the first one stands, and what the gate, if asked, says of it."""
    from bot.model.evaluation import record
    from bot.model.registry import CHAMPION

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

    from bot.model import report
    from bot.model.scorecard import compare

    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(report.terminal_figures(card, against=other))
    if any(not row.outcome.right or row.failed_checks for row in card.rows):
        console.print(report.terminal_wrong(card))
    if other:
        console.print(report.terminal_changes(compare(other, card)))
    tutorial = tuple(row for row in card.rows if row.example.slice == "tutorial") or card.rows[:5]
    console.print(report.terminal_responses(card.model_copy(update={"rows": tutorial})))


def _say_next(version: "Version | None", reasons: list[str] | None, data: Path | None) -> None:
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
def _interruptible(done: Callable[[], int], of: int) -> Iterator[None]:
    """Ctrl-C is one line on how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nStopped after {done()} of {_messages(of)}. The same command goes on from there.", err=True)
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
