"""Whether Slack and the tokens for it are as they should be."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.delivery import SLACK_URL
from bot.slack.manifest import bot_scopes
from bot.slack.quiet import quiet


class Mark(StrEnum):
    """How a check ended. What is doubtful works, and is hardly what the operator wants."""

    FINE = "✓"
    DOUBTFUL = "!"
    WRONG = "✗"


@dataclass(frozen=True)
class Check:
    """One line of `angel doctor`: `remedy` is what to do where it is not fine."""

    name: str
    mark: Mark
    detail: str
    remedy: str = ""


NO_APP_YET = "No app yet? `angel manifest --link` prints the page that makes one. "
BOT_TOKEN_PLACE = "Copy it from your app at https://api.slack.com/apps > OAuth & Permissions > Bot User OAuth Token."  # noqa: S105  # says where one is
APP_TOKEN_PLACE = "Make one in your app at https://api.slack.com/apps > Basic Information > App-Level Tokens."  # noqa: S105  # the same
SECRET_PLACE = "Copy it from your app at https://api.slack.com/apps > Basic Information > Signing Secret."  # noqa: S105  # the same
NETWORK = "Check this machine's way to Slack: its network, its proxy, SLACK_API_URL."
TIMEOUT = 10
"""Seconds for one call."""


async def check_slack(
    *,
    bot_token: str | None,
    app_token: str | None,
    signing_secret: str | None,
    slack_url: str = SLACK_URL,
    any_workspace: bool = False,
) -> AsyncIterator[Check]:
    """What there is to check about Slack, one after the other. An app token is for Socket Mode, a secret for HTTP.

    With `any_workspace` the bot's tokens are in the store.
    """
    client = AsyncWebClient(base_url=slack_url, timeout=TIMEOUT, logger=quiet(), retry_handlers=[])
    if any_workspace:
        detail = "not used: each workspace's own is in the store" if bot_token else "not needed: they are in the store"
        yield Check("Bot token", Mark.FINE, detail)
    elif _shaped(bot_token, "xoxb-"):
        async for check in _bot_token(client, str(bot_token)):
            yield check
    else:
        has_an_app = bot_token or app_token or signing_secret
        remedy = BOT_TOKEN_PLACE if has_an_app else NO_APP_YET + BOT_TOKEN_PLACE
        yield Check("Bot token", Mark.WRONG, _missing("SLACK_BOT_TOKEN", bot_token, "xoxb-"), remedy)
    if _shaped(app_token, "xapp-"):
        yield await _app_token(client, str(app_token))
    elif app_token or not signing_secret:
        yield Check("App token", Mark.WRONG, _missing("SLACK_APP_TOKEN", app_token, "xapp-"), APP_TOKEN_PLACE)
    else:
        yield Check("App token", Mark.FINE, "not set: for HTTP only, not for Socket Mode")
    if signing_secret and not re.fullmatch(r"[0-9a-f]{32}", signing_secret):
        yield Check(
            "Signing secret", Mark.WRONG, "SLACK_SIGNING_SECRET does not look like one (32 hex digits)", SECRET_PLACE
        )
    else:
        detail = "looks right" if signing_secret else "not set: for Socket Mode only, not for HTTP"
        yield Check("Signing secret", Mark.FINE, detail)


async def _bot_token(client: AsyncWebClient, token: str) -> AsyncIterator[Check]:
    try:
        answer = await client.auth_test(token=token)
    except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
        yield _refused("Bot token", error, BOT_TOKEN_PLACE)
        return
    yield Check("Bot token", Mark.FINE, f"accepted: {answer['user']} in {answer['team']}")
    granted = set(filter(None, re.split(r"[,\s]+", answer.headers.get("x-oauth-scopes", ""))))
    wanted = bot_scopes()
    if lacking := wanted - granted:
        remedy = "Install the app again: your app at https://api.slack.com/apps > Install App."
        yield Check("Scopes", Mark.WRONG, f"lacking {', '.join(sorted(lacking))}", remedy)
    else:
        more = granted - wanted
        also = f"; not needed: {', '.join(sorted(more))}" if more else ""
        yield Check("Scopes", Mark.FINE, f"{', '.join(sorted(wanted))}{also}")


async def _app_token(client: AsyncWebClient, token: str) -> Check:
    try:
        await client.apps_connections_open(app_token=token)
    except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
        return _refused("App token", error, APP_TOKEN_PLACE)
    return Check("App token", Mark.FINE, "accepted: Socket Mode can connect")


def _refused(name: str, error: Exception, place: str) -> Check:
    data = getattr(getattr(error, "response", None), "data", None)
    if isinstance(data, dict) and "error" in data:
        return Check(name, Mark.WRONG, f"Slack does not accept it ({data['error']})", place)
    return Check(name, Mark.WRONG, f"Slack can't be asked ({type(error).__name__})", NETWORK)


def _shaped(token: str | None, prefix: str) -> bool:
    return bool(token and re.fullmatch(rf"{prefix}[\w-]+", token))


def _missing(variable: str, token: str | None, prefix: str) -> str:
    return f"{variable} does not look like one ({prefix}...)" if token else f"{variable} is not set"
