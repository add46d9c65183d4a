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
from bot.slack.delivery import SlackClient, Undeliverable
from bot.slack.in_flight import InFlight, log, log_bug
from bot.slack.listeners import Listeners, Recorder, Screener
from bot.slack.modals import COMPOSER
from bot.slack.quiet import quiet
from bot.verdict import Tone

STILL_READING_SECONDS = 4.0


def build_app(
    screener: Screener,
    slack: SlackClient,
    in_flight: InFlight,
    *,
    bot_token: str,
    recorder: Recorder | None = None,
    offline_note: str = "",
    patience: float = STILL_READING_SECONDS,
    now: Callable[[], float] = time.time,
) -> AsyncApp:
    """The app around a screener.

    Whoever dispatches to it over HTTP has looked at Slack's signature: the app does not. `recorder` keeps checks and
    votes; without one a vote is a line in the log. `offline_note` is one line on what the offline check misses,
    `patience` the seconds before a person is told that it takes longer; `now` is the clock.
    """

    async def authorize() -> AuthorizeResult:
        # Bolt's own way asks auth.test before the first ack, and again for all that come before its answer.
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=bot_token)

    app = AsyncApp(
        name="angel",
        logger=quiet(),
        client=AsyncWebClient(logger=quiet()),  # nothing is asked through Bolt's own
        authorize=authorize,
        signing_secret="",
        # The HTTP front has looked at the signature of all that gets here, before it parsed any of it.
        request_verification_enabled=False,
        ssl_check_enabled=False,
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
            kind = str(body.get("type") or "command")
            log(kind, "unhandled", 0)
            # Slack sends an event again and again that is not acked, and in the end no more of them. Whoever pressed
            # a button that does nothing should see that.
            return BoltResponse(status=200) if kind == "event_callback" else None
        log_bug(error)
        if response_url := body.get("response_url"):
            try:
                await slack.respond(response_url, notice(wording.BUG), replace=False)
            except Undeliverable as failure:
                log("apology", f"undeliverable:{failure.reason}", 0)
        return None

    return app
