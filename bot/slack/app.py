"""The Bolt app: everything that Slack can ask of Angel, wired to what does it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import wording
from bot.slack.angel import Angel, Recorder, Screener
from bot.slack.blocks import notice
from bot.slack.delivery import SlackClient, Undeliverable
from bot.slack.in_flight import InFlight, log, log_bug
from bot.slack.interaction import ACK_READ, Interaction
from bot.slack.listeners import LISTENERS, Listener
from bot.slack.quiet import quiet
from bot.slack.sending import Sender
from bot.store.owners import Person

if TYPE_CHECKING:
    from bot.store.store import Store  # which imports the database; a worker without a store does without

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
    model_note: str = "",
    store: "Store | None" = None,
    sender: Sender | None = None,
    connect_link: Callable[[Person], str] | None = None,
) -> AsyncApp:
    """The app around a screener.

    Whoever dispatches to it over HTTP has looked at Slack's signature: the app does not. `recorder` keeps checks and
    votes; without one a vote is a line in the log. `offline_note` is one line on what the offline check misses,
    `patience` the seconds before a person is told that it takes longer. The rest is as in `Angel`; with a `store` the
    token of each workspace is looked up there when it is needed, and `bot_token` is not used.
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
    angel = Angel(screener, slack, in_flight, recorder, offline_note, patience, model_note, store, sender, connect_link)
    named: dict[str, Callable[[str], Callable[..., Any]]] = {
        "slash_commands": app.command,
        "message_action": lambda name: app.shortcut({"type": "message_action", "callback_id": name}),
        "shortcut": lambda name: app.shortcut({"type": "shortcut", "callback_id": name}),
        "view_submission": app.view,
        "block_actions": app.action,
        "event": app.event,
    }
    for (kind, name), listener in LISTENERS.items():
        named[kind](name)(_bound(listener, angel))

    @app.error
    async def on_error(error: Exception, body: dict[str, Any]) -> BoltResponse | None:
        if isinstance(error, BoltUnhandledRequestError):
            kind = str(body.get("type") or "command")
            log(kind, "unhandled", 0)
            # Slack sends an event again and again that is not acked, and in the end no more of them. Whoever pressed
            # a button that does nothing should see that.
            return BoltResponse(status=200) if kind == "event_callback" else None
        log_bug(error)
        if isinstance(response_url := body.get("response_url"), str):
            try:
                await slack.respond(response_url, notice(wording.BUG), replace=False)
            except Undeliverable as failure:
                log("apology", f"undeliverable:{failure.reason}", 0)
        # Every listener acks before all else: what raises earlier is a request that can't be read.
        return BoltResponse(status=400)

    return app


def _bound(listener: Listener, angel: Angel) -> Callable[..., Awaitable[None]]:
    async def on_interaction(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        did = Interaction(body, ack, context.get(ACK_READ) or asyncio.Event())
        await listener(angel.in_workspace(did.person.workspace), did)

    return on_interaction
