"""`angel model`: the model that answers, and its life in MLflow."""

import click

from bot.cli import parts


@click.group()
def model() -> None:
    """The model that answers, and its life in MLflow."""


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
