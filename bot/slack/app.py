"""The Bolt app: everything that Slack can ask of Angel, wired to what does it."""

import re
import time
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import wording
from bot.slack.blocks import notice
from bot.slack.buttons import (
    ANOTHER_VERSION,
    EDIT_DRAFT,
    HELPFUL,
    KEEP_NOTHING,
    KEEP_TEXT,
    NOT_HELPFUL,
    TONE_PREFIX,
    USE_REWRITE,
)
from bot.slack.delivery import PAUSES, SlackClient, Undeliverable
from bot.slack.in_flight import InFlight, log, log_bug
from bot.slack.listeners import Listeners, Recorder, Screener
from bot.slack.modals import COMPOSER
from bot.slack.quiet import quiet
from bot.verdict import Tone

SLACK_URL = "https://slack.com/api/"
STILL_READING_SECONDS = 4.0


def build_app(
    screener: Screener,
    recorder: Recorder | None = None,
    *,
    bot_token: str,
    signing_secret: str = "",
    slack_url: str = SLACK_URL,
    offline_note: str = "",
    in_flight: InFlight | None = None,
    patience: float = STILL_READING_SECONDS,
    timeout: float = 10.0,
    pauses: tuple[float, ...] = PAUSES,
    now: Callable[[], float] = time.time,
) -> AsyncApp:
    """The app around a screener.

    `recorder` keeps checks and votes; without one a vote is a line in the log.
    `signing_secret` is for HTTP only, `slack_url` where the Web API is, `offline_note` one line on what the offline
    check misses. `in_flight` is how a worker knows what is left to finish. In seconds: `patience` before a person is
    told that it takes longer, `timeout` of one call to Slack, `pauses` before each further one; `now` is the clock.
    """

    async def authorize() -> AuthorizeResult:
        # Bolt's own way asks auth.test before the first ack, and again for all that come before its answer.
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=bot_token)

    in_flight = InFlight() if in_flight is None else in_flight
    slack = SlackClient(bot_token=bot_token, slack_url=slack_url, timeout=timeout, pauses=pauses)
    app = AsyncApp(
        name="angel",
        logger=quiet(),
        client=AsyncWebClient(base_url=slack_url, logger=quiet()),
        authorize=authorize,
        signing_secret=signing_secret,
        raise_error_for_unhandled_request=True,
    )
    do = Listeners(screener, slack, in_flight, recorder=recorder, offline_note=offline_note, patience=patience, now=now)
    app.command("/angel")(do.command)
    app.shortcut({"type": "message_action", "callback_id": "check_message"})(do.check_message)
    app.shortcut({"type": "shortcut", "callback_id": "write_with_angel"})(do.write)
    app.action(re.compile(rf"^(?:{ANOTHER_VERSION}|{TONE_PREFIX}(?:{'|'.join(Tone)}))$"))(do.again)
    app.action(EDIT_DRAFT)(do.edit)
    app.action(USE_REWRITE)(do.use_rewrite)
    app.action(re.compile(rf"^(?:{HELPFUL}|{NOT_HELPFUL})$"))(do.vote)
    app.action(re.compile(rf"^(?:{KEEP_TEXT}|{KEEP_NOTHING})$"))(do.keep)
    app.view(COMPOSER)(do.submit)

    @app.error
    async def on_error(error: Exception, body: dict[str, Any]) -> BoltResponse | None:
        if isinstance(error, BoltUnhandledRequestError):
            log(str(body.get("type") or "command"), "unhandled", 0)
            return None
        log_bug(error)
        if response_url := body.get("response_url"):
            try:
                await slack.respond(response_url, notice(wording.BUG), replace=False)
            except Undeliverable as failure:
                log("apology", f"undeliverable:{failure.reason}", 0)
        return None

    return app
