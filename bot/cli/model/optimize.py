"""`angel model optimize`: better instructions, found by GEPA within a budget."""

import difflib
import sys
from typing import TYPE_CHECKING

import click

from bot.cli import parts
from bot.cli.model.data import data_option, examples_of
from bot.cli.model.evaluate import INTERRUPTED, evaluate_on
from bot.settings import Settings
from bot.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.evaluation.examples import Example
    from bot.evaluation.optimizing import Found
    from bot.evaluation.prompts import Prompt
    from bot.evaluation.registry import Registry

NOT_STARTED = 1
CALLS_AN_ITERATION = 6
"""GEPA tries three examples before and after each reflection."""
ANSWER_TOKENS = 150
"""Of a usual answer: findings, verdict and a rewrite."""
TOKEN_CHARACTERS = 4
"""OpenAI's rule of thumb for English."""


@click.command(short_help="Look for better instructions with GEPA, and log them.")
@click.option("--model", "name", metavar="NAME", help="The chat model.  [default: OPENAI_MODEL, or the built-in]")
@click.option(
    "--reflection", metavar="NAME", help="The model that rewrites the instructions.  [default: the chat model]"
)
@click.option("--prompt", metavar="PROMPT", help="Where to begin, as for `angel model log`.")
@click.option(
    "--budget", type=click.IntRange(min=20), default=600, show_default=True, help="The most requests of the chat model."
)
@click.option("--yes", is_flag=True, help="Spend the budget without asking.")
@data_option
def optimize(
    name: str | None, reflection: str | None, prompt: str | None, budget: int, yes: bool, data: str | None
) -> int:
    """Look for better instructions with GEPA, and log what is found as the candidate.

    They get better on three fifths of the examples, and are evaluated on the others, beside the instructions they stem
    from. What both cost is said and asked for before it is spent. Ctrl-C ends the search and keeps the best that was
    found. Needs GEPA: pip install 'text-message-angel[optimize]'
    """
    settings, registry = parts.registry()
    from bot.evaluation import optimizing
    from bot.model import chat

    train, held_out = optimizing.split(examples_of(data))
    config = chat.config(name or settings.openai_model or chat.DEFAULT_MODEL)
    model = str(config["model"])
    optimizing.needs_gepa()
    if budget < len(train) + CALLS_AN_ITERATION:
        raise click.UsageError(
            f"The instructions are tried on {len(train)} messages first, so --budget has to be more than that."
        )
    start = registry.prompt(prompt)
    reflections = reflection or model
    # Both prompts are evaluated, and each caution that is right costs a second request: its rewrite is checked.
    evaluation = 2 * (len(held_out) + sum(each.label is Label.CAUTION for each in held_out))
    click.echo(_cost(model, reflections, budget, evaluation, len(start.instructions)), err=True)
    if not yes and not _agreed():
        click.echo("Nothing was spent.", err=True)
        return NOT_STARTED
    try:
        with _progress(budget) as spent:
            found = optimizing.optimize(
                start,
                config,
                train,
                tracking_uri=registry.tracking_uri,
                reflection_model=reflections,
                budget=budget,
                spent=spent,
            )
    except optimizing.OptimizeStopped as stopped:
        click.echo(str(stopped), err=True)
        return INTERRUPTED
    return _told(settings, registry, config, start, found, held_out)


def _agreed() -> bool:
    try:
        return click.confirm("Spend it?", err=True)
    except click.Abort:  # Ctrl-C, or nobody there who could answer
        click.echo("\nNothing was spent. Where nobody can answer: --yes", err=True)
        raise


def _cost(model: str, reflection: str, budget: int, evaluation: int, characters: int) -> str:
    """The budget in requests, and in money where the prices are known."""
    from bot.evaluation.prices import PRICES

    said = (
        f"At most {budget} requests of {model} and about {budget // CALLS_AN_ITERATION} of {reflection} to search, "
        f"and {evaluation} of {model} to evaluate what is found."
    )
    prices = [PRICES.get(each) for each in (model, reflection)]
    if any(price is None for price in prices):
        return f"{said} What they cost is not known here: look up the prices of {model} and {reflection}."
    asks, reflects = prices
    assert asks is not None
    assert reflects is not None
    tokens = characters / TOKEN_CHARACTERS
    answers = (budget + evaluation) * (tokens * asks.input + ANSWER_TOKENS * asks.output)
    rewrites = budget / CALLS_AN_ITERATION * (2 * tokens * reflects.input + tokens * reflects.output)
    return f"{said} That is about ${(answers + rewrites) / 1e6:,.2f} at the most."


class _progress:
    """A bar of what is spent, on a terminal."""

    def __init__(self, budget: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(file=sys.stderr)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._bar.add_task("Looking for better instructions", total=budget)

    def __enter__(self) -> "_progress":
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def __call__(self, requests: int, best: float) -> None:
        self._bar.update(self._task, completed=requests, description=f"Best score so far {best:.3f}")


def _told(
    settings: Settings,
    registry: "Registry",
    config: "Mapping[str, object]",
    start: "Prompt",
    found: "Found",
    held_out: "Sequence[Example]",
) -> int:
    """Log what was found, evaluate it and what it stems from on the part held out, and say what changed."""
    if found.stopped:
        click.echo("Stopped. The best that was found is kept.", err=True)
    click.echo(
        f"Prompt {found.prompt.version} scores {found.after:.3f} on the training part, prompt {start.version} "
        f"{found.before:.3f}: {found.requests} requests, {found.reflections} reflections."
    )
    for line in difflib.unified_diff(
        start.instructions.splitlines(), found.prompt.instructions.splitlines(),
        f"prompt {start.version}", f"prompt {found.prompt.version}", n=1, lineterm="",
    ):  # fmt: skip
        click.echo(line)
    logged = registry.log(config, found.prompt)
    click.echo(f"Version {logged.version} is the candidate now. On the {len(held_out)} messages it has not seen:")
    evaluate_on(settings, registry, registry.version(logged.version).uri, start, config, held_out)
    click.echo("Next: angel model evaluate")
    return 0
