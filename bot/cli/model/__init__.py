"""`angel model`: the model that answers, and its life in MLflow."""

import click

from bot.cli import parts
from bot.cli.model.data import add_examples
from bot.cli.model.evaluate import evaluate
from bot.cli.model.feedback import feedback
from bot.cli.model.log import log
from bot.cli.model.optimize import optimize
from bot.cli.model.promotion import history, list_, promote, rollback


@click.group()
def model() -> None:
    """The model that answers, and its life in MLflow.

    A change of the prompt or the chat model goes: log, evaluate, promote; and rollback where it was none for the
    better. Everything is kept at MLFLOW_TRACKING_URI, or in mlflow.db in this folder where that is not set.
    """


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


for command in (log, evaluate, optimize, promote, rollback, list_, history, feedback, add_examples):
    model.add_command(command)
