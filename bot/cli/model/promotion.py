"""`angel model promote`, `rollback` and `list`: which version the bot follows."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import parts
from bot.cli.model.data import data_option

if TYPE_CHECKING:
    from bot.evaluation.registry import Registry, Version

NOT_PROMOTED = 1


@click.command()
@click.argument("version", default="candidate")
@click.option("--force", metavar="REASON", help="Promote whatever the gate says. The reason is recorded in MLflow.")
@data_option
def promote(version: str, force: str | None, data: Path | None) -> int:
    """Make VERSION the champion, which the bot follows.

    VERSION is a number or an alias; the candidate where it is left out. It has to pass the gate: evaluated on the
    current examples (or on those of --data), few enough false alarms, recall no worse than the champion's, clean
    rewrites. The exit code is 1 where it does not pass, with the reasons.
    """
    if force is not None and not force.strip():
        raise click.UsageError('Say why: angel model promote --force "the old one is retired on Friday"')
    from bot.evaluation.examples import EXAMPLES, digest, read_examples

    examples = digest(read_examples(data or EXAMPLES))
    _, registry = parts.registry()
    from bot.evaluation.registry import CHAMPION

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


@click.command()
def rollback() -> int:
    """Make the previous champion champion again.

    A second time undoes it.
    """
    _, registry = parts.registry()
    left, now = registry.roll_back()
    click.echo(f"Version {now.number} ({now.model}) is the champion again; version {left.number} is previous now.")
    return 0


@click.command("list")
@data_option
def list_(data: Path | None) -> int:
    """The versions and their figures, newest first.

    The figures are those on the current examples, or on those of --data. Piped, it is one line a version with tabs
    between the columns.
    """
    from bot.evaluation.examples import EXAMPLES, digest, read_examples

    examples = digest(read_examples(data or EXAMPLES))
    _, registry = parts.registry()
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
    from bot.evaluation.scorecard import percent

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
