"""`angel model promote`, `rollback` and `list`: which version the bot follows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from bot.cli import parts
from bot.cli.model.data import data_option, examples_of

if TYPE_CHECKING:
    from bot.evaluation.registry import Registry, Version

NOT_PROMOTED = 1


@click.command()
@click.argument("version", default="candidate")
@click.option("--force", metavar="REASON", help="Promote whatever the gate says. The reason is recorded in MLflow.")
@click.option("--judged", is_flag=True, help="The gate asks for a judge's word on the rewrites, too.")
@data_option
def promote(version: str, force: str | None, judged: bool, data: str | None) -> int:
    """Make VERSION the champion, which the bot follows.

    VERSION is a number or an alias; the candidate where it is left out. It has to pass the gate: evaluated on the
    current examples (or on those of --data), few enough false alarms, recall no worse than the champion's, clean
    rewrites; with --judged also that a judge which agrees with people finds them good. The exit code is 1 where it does
    not pass, with the reasons.
    """
    if force is not None and not force.strip():
        raise click.UsageError('Say why: angel model promote --force "the old one is retired on Friday"')
    from bot.evaluation.examples import digest

    _, registry = parts.registry()
    examples = digest(examples_of(data))
    from bot.evaluation.promotions import Kind
    from bot.evaluation.registry import CHAMPION

    wanted = registry.version(version)
    if CHAMPION in wanted.aliases:
        click.echo(f"Version {wanted.number} is the champion already.")
        return 0
    reasons = registry.reasons_against(wanted, examples, judged=judged)
    if reasons and not force:
        click.echo(f"Version {wanted.number} was not promoted:", err=True)
        for reason in reasons:
            click.echo(f"- {reason}", err=True)
        return NOT_PROMOTED
    figures = registry.metrics(wanted, examples)
    if force:
        before = registry.make_champion(wanted, Kind.FORCE, figures=figures, reason=force.strip(), despite=reasons)
    else:
        before = registry.make_champion(wanted, figures=figures)
    click.echo(f"Version {wanted.number} ({wanted.model}) is the champion now.")
    if reasons:
        click.echo("The gate would have refused it:")
    for reason in reasons:
        click.echo(f"- {reason}")
    if before:
        click.echo(f"Version {before.number} is kept as previous. To go back: angel model rollback")
    return 0


@click.command(short_help="Make the champion before this one champion again.")
@click.argument("version", required=False)
def rollback(version: str | None) -> int:
    """Make the champion before this one champion again, or VERSION: a number or an alias.

    Without VERSION it never returns to a version that was itself rolled back from, and goes one step back: where two
    people do it for the same trouble, the second is told so, and nothing changes.
    """
    _, registry = parts.registry()
    left, now = registry.roll_back(registry.version(version) if version else None)
    if left.number == now.number:
        click.echo(f"Version {now.number} is the champion already.")
        return 0
    click.echo(f"Version {now.number} ({now.model}) is the champion again, in the place of version {left.number}.")
    return 0


@click.command(short_help="Every promotion and rollback, newest first.")
def history() -> int:
    """Every promotion and rollback, newest first: when, by whom, from what to what, on which figures.

    Piped, it is one line a change with tabs between the columns. MLflow shows the same as tags of the registered model.
    """
    _, registry = parts.registry()
    changes = registry.history()
    if not changes:
        click.echo("No version has been promoted yet.", err=True)
        return 0
    from bot.evaluation.scorecard import percent
    from bot.terminal import show_table

    def shown(figures: Mapping[str, float], name: str) -> str:
        return percent(figures[name]) if name in figures else "-"

    heading = ("when", "who", "what", "from", "to", "recall", "false alarms", "clean rewrites", "why")
    rows = [
        (
            f"{each.at.astimezone():%Y-%m-%d %H:%M}",
            each.by,
            each.kind.value,
            each.before or "-",
            each.after,
            *(shown(each.figures, name) for name in ("caution_recall", "false_alarms", "rewrites_clean")),
            each.reason or "-",
        )
        for each in reversed(changes)
    ]
    show_table(heading, rows)
    return 0


@click.command("list")
@data_option
def list_(data: str | None) -> int:
    """The versions and their figures, newest first.

    The figures are those on the current examples, or on those of --data. Piped, it is one line a version with tabs
    between the columns.
    """
    from bot.evaluation.examples import digest

    _, registry = parts.registry()
    examples = digest(examples_of(data))
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
        "champion",
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
        version.tags.get("changed", "-"),
    )
