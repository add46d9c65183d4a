"""`angel doctor`: what is wrong with a set-up, and what to do about it."""

import asyncio
import shutil
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import click

from bot.cli import parts
from bot.errors import AngelError
from bot.settings import Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.slack.doctor import Check

WRONG = 1


@click.command(short_help="Check the set-up, and say what to do about what is wrong.")
def doctor() -> int:
    """Check settings, tokens, scopes, the model and MLflow, each in a line.

    A line starts with ✓ where all is well, with ! where it works but is hardly what you want, and with ✗ where it does
    not work; under the last two stands what to do. The exit code is 1 where there is a ✗.
    """
    from bot.slack.doctor import Check, Mark

    try:
        settings = parts.settings()
    except AngelError as error:
        _tell(Check("Settings", Mark.WRONG, str(error)))
        return WRONG
    checks = [_tell(Check("Settings", Mark.FINE, "can be used as they are"))]
    checks += asyncio.run(_slack(settings))
    if settings.has_store:
        checks += [_tell(asyncio.run(check_store(settings))), _tell(check_address(settings))]
    checks += [_tell(check_model(settings)), _tell(check_mlflow(settings))]
    return WRONG if any(check.mark is Mark.WRONG for check in checks) else 0


async def _slack(settings: Settings) -> "list[Check]":
    from bot.slack.doctor import check_slack

    checks = check_slack(
        bot_token=_secret(settings.slack_bot_token),
        app_token=_secret(settings.slack_app_token),
        signing_secret=_secret(settings.slack_signing_secret),
        slack_url=settings.slack_api_url,
        any_workspace=settings.has_store,
    )
    return [_tell(check) async for check in checks]


def check_model(settings: Settings) -> "Check":
    """Whether the model loads and answers for one known message."""
    from bot.health import KNOWN
    from bot.slack.doctor import Check, Mark

    try:
        model = parts.screener(settings).model
        began = time.monotonic()
        verdict = model.check(KNOWN)
    except AngelError as error:
        return Check("Model", Mark.WRONG, str(error), "See what would be loaded, and why: angel model show")
    seconds = time.monotonic() - began
    version = f", version {model.version}" if model.version else ""
    detail = f"{model.name}{version} answered “{verdict.sentence}” in {seconds:.1f} s"
    if parts.source(settings).kind != "offline":
        return Check("Model", Mark.FINE, detail)
    return Check(
        "Model",
        Mark.DOUBTFUL,
        f"{detail}; no chat model is set, so only the offline check answers, which misses most irony",
        "Set OPENAI_API_KEY, or OPENAI_BASE_URL for another server than OpenAI's (in the environment or in .env).",
    )


async def check_store(settings: Settings) -> "Check":
    """Whether the store opens, with these keys."""
    from bot.slack.doctor import Check, Mark

    remedy = "docs/operators.md, Any workspace, says how to set it up."
    try:
        store = parts.store(settings)
        try:
            await store.open()
            installed = len(await store.tokens.listed())
        finally:
            await store.close()
    except AngelError as error:
        return Check("Store", Mark.WRONG, str(error), remedy)
    workspaces = f"{installed} workspace{'' if installed == 1 else 's'}"
    return Check("Store", Mark.FINE, f"{store.database.name} opens, and the keys fit; {workspaces} installed Angel")


def check_address(settings: Settings) -> "Check":
    """Whether people can install Angel and connect: their browsers need an address."""
    from bot.slack.doctor import Check, Mark
    from bot.slack.manifest import INSTALL_PATH

    if not settings.angel_url:
        return Check(
            "Address",
            Mark.DOUBTFUL,
            "ANGEL_URL is not set: nobody can install it or connect here",
            "Set ANGEL_URL to where browsers reach `angel serve --http`, if this process serves that.",
        )
    if not settings.angel_url.startswith("https://"):
        return Check("Address", Mark.WRONG, f"{settings.angel_url} is not https, which Slack asks for", "Use https.")
    return Check("Address", Mark.FINE, f"people install it at {settings.angel_url.rstrip('/')}{INSTALL_PATH}")


def check_mlflow(settings: Settings) -> "Check":
    """Whether the MLflow server answers, where one is configured."""
    from bot.evaluation.registry import Registry
    from bot.slack.doctor import Check, Mark

    uri = settings.mlflow_tracking_uri
    if not uri:
        return Check("MLflow", Mark.FINE, "MLFLOW_TRACKING_URI is not set; models come from this machine")
    parts.tame_mlflow()
    try:
        found = len(Registry(uri).versions())
    except AngelError as error:
        return Check("MLflow", Mark.WRONG, str(error))
    return Check("MLflow", Mark.FINE, f"reachable, {found} version{'' if found == 1 else 's'} of the model")


def _tell(check: "Check") -> "Check":
    from bot.slack.doctor import Mark

    _print(f"{check.mark} {check.name}: {check.detail}", indent="  ")
    if check.mark is not Mark.FINE and check.remedy:
        _print(f"    {check.remedy}", indent="    ")
    return check


def _print(line: str, *, indent: str) -> None:
    """A line, broken between words on a terminal and whole in a pipe; an address is never broken."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        line = textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    click.echo(line)


def _secret(value: "SecretStr | None") -> str | None:
    return value.get_secret_value() if value else None
