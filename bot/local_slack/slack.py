"""The local Slack: real clients speak to it, and it shows what a person would see.

    async with LocalSlack(manifest=manifest) as slack:                   # manifest: the parsed manifest.yml, or none
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        app = AsyncApp(client=client, signing_secret=slack.signing_secret)   # ... listeners ...
        # Socket Mode is how it delivers as long as `request_url` is None.
        handler = AsyncSocketModeHandler(app, slack.app_token, web_client=AsyncWebClient(base_url=slack.api_url))
        await handler.connect_async()
        await slack.changed(lambda: slack.connections)
        # Or over HTTP, signed: slack.request_url = "http://127.0.0.1:PORT/slack/events"

        delivery = await slack.command("/angel", "Fine. @maria can do it.")  # returns once acked, or refused, or late
        assert delivery.acked
        answer = await slack.changed(lambda: slack.ephemerals())             # what they see, as soon as they see it
        await slack.press(answer[0], "again")

**Places and people.** `slack.user` (the person at the keyboard, the default of every `user=`), `slack.other`,
`slack.bot`, and two colleagues whom `snapshot()["users"]` names; `slack.channel` (public, the default of every
`channel=`; the app is a member), `slack.quiet` (public, the app is no member), `slack.private`, `slack.dm` (of user and
other; the app is no part of it). All are ids. A message is Slack's JSON object with `channel` added; an ephemeral one
has `is_ephemeral` and `seen_by` too.

**What a person does.** Each returns a `Delivery` once the app has acked, or has failed to:

- `command("/angel", text, channel=, user=)`: text as typed; `@name`, `#channel`, links are escaped as the
  manifest asks
- `global_shortcut(callback_id, user=)`
- `message_shortcut(callback_id, message, user=)`
- `press(where, action_id, value=None, user=)`: a button, menu option, feedback button in a message or view;
  `value` picks the option, or which of several with the same `action_id`
- `submit(view, values=None, user=)`: values `{action_id: what was typed or picked}`; what was typed before
  stays
- `close(view, user=)`: the X or Close of a modal
- `redeliver(delivery, timestamp=None, secret=None)`: the very same payload again; with an old timestamp or a
  wrong secret too

and, with no word to the app: `post(text, channel=, user=, thread_ts=) -> message`, `fill(view, values)`. What
Slack would not offer (a command that is not in the manifest, a shortcut on an ephemeral message, a required
input left empty, a text over the input's max_length) raises `NotOffered`.

`Delivery`: `kind` (slash_commands, shortcut, message_action, block_actions, view_submission, view_closed),
`payload` (what the app got, a dict), `acked`, `answer` (the body of the ack, or None), `error` (what the person
is told instead: operation_timeout, dispatch_failed, http_service_error, invalid_command_response, ...),
`status` (HTTP only), `via` ("socket_mode" or "http").

**What a person sees.** `messages(channel=None, thread_ts=None)`, `ephemerals(user=None, channel=None)`,
`views(user=None)` (the stack of modals, the visible one last), `view(user=None)` (that one, or None),
`state(view)` (what was typed, in Slack's `state.values` shape), `view_errors(view)` (block_id -> error under an
input), `notices(user=None)` (what Slack itself told them, such as operation_timeout). `await changed(predicate,
timeout=10)` waits without polling until `predicate()` is true and returns what it returned.

**Time.** `trigger_id` (3 s, one use), `response_url` (30 minutes, 5 uses) and the wait for an ack (3 s) go by
`slack.clock`. `slack.clock.advance(1800)` lets time pass; `LocalSlack(clock=Clock(frozen=True))` lets it pass
only so; a command whose ack never comes then waits until a test lets three seconds pass.

**Trouble.** `fail(what, status=, error=, retry_after=, hang=, drop=, times=)` for the next N uses of
`"response_url"` or of a Web API method such as `"views.open"`: an HTTP status, a Slack error, no answer until
close, or a dropped line. `disconnect(reason)` sends every Socket Mode connection `warning` or
`refresh_requested`; `drop_connections()` cuts them. `scopes`, `bot_token`, `app_token`, `signing_secret` are
attributes; `calls` lists (method, request, response) of every Web API call and use of a response_url (the
method is then "response_url").

**For observers.** `with slack.subscribe() as events: async for event in events: ...` gives what happens from
now on as JSON-able dicts, each with `id` (counts up) and `type`; a slow reader loses the oldest and gets
`{"type": "lost", "count": n}`.

    message    channel, message                      a message that everybody in the channel sees
    ephemeral  user, channel, message                a message only `user` sees
    replaced   channel, ts, message, user            message `ts` is now `message`; `user` is set if it is ephemeral
    deleted    channel, ts, user
    view       user, views, errors                   the person's stack of modals, the visible one last
    delivery   delivery, kind, via, payload          sent to the app, exactly so
    ack        delivery, kind, answer, error, status the app's ack, or what the person is told instead
    api        method, request, response, status     a Web API call, or a use of a response_url (method "response_url")
    error      user, channel, error, about           what Slack tells the person, `about` the command or callback
    channel    channel                               a new place: direct messages with the app
    connection connections                           how many Socket Mode connections there are now

`snapshot()` is the whole workspace for a page that (re)loads: team, you, users, channels, messages,
ephemerals, views, errors, notices, commands, shortcuts, connections, `events` (the latest ones) and `last` (the id of
the last event in it).
"""

import copy
import secrets
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web

from bot.local_slack import workspace as place
from bot.local_slack.answers import honour
from bot.local_slack.clock import Clock
from bot.local_slack.delivery import Delivery, Line
from bot.local_slack.errors import NotOffered, Refused
from bot.local_slack.events import JSON, Events, Subscription
from bot.local_slack.grants import Grants
from bot.local_slack.guard import from_this_machine
from bot.local_slack.payloads import (
    Typed,
    action,
    bare,
    command_form,
    common,
    component,
    escaped,
    message_state,
    remember,
)
from bot.local_slack.webapi import Trouble, WebApi
from bot.local_slack.workspace import Modal, User, Workspace

T = TypeVar("T")

__all__ = ["Clock", "Delivery", "LocalSlack", "NotOffered"]


class LocalSlack:
    """A workspace, the app in it, and what people do there; see the top of the file.

    `scopes` are those of the app's token, by default the manifest's. What `routes` makes, given this Slack, is served
    beside Slack's own. Entering raises OSError where `port` is taken.
    """

    def __init__(
        self,
        *,
        manifest: Mapping[str, Any] | None = None,
        scopes: Iterable[str] | None = None,
        clock: Clock | None = None,
        port: int = 0,
        routes: Callable[["LocalSlack"], Iterable[web.AbstractRouteDef]] = lambda slack: (),
    ) -> None:
        self.clock = clock or Clock()
        self.signing_secret = secrets.token_hex(16)
        self.user, self.other, self.bot = place.USER.id, place.OTHER.id, place.BOT.id
        self._manifest = manifest
        self._events = Events()
        self._workspace = Workspace(self.clock, self._events)
        self._grants = Grants(self.clock)
        self._line = Line(self.clock, self._events, self.signing_secret)
        if scopes is None:
            scopes = (manifest or {}).get("oauth_config", {}).get("scopes", {}).get("bot", ("commands", "chat:write"))
        self.scopes = set(scopes)
        self._api = WebApi(self._workspace, self._events, self._grants, self._line, self.scopes)
        self.bot_token, self.app_token, self.calls = self._api.bot_token, self._api.app_token, self._api.calls
        self.channel, self.quiet, self.private, self.dm = self._workspace.channels
        self._port = port
        self._routes = routes
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "LocalSlack":
        app = web.Application(client_max_size=4 * 2**20, middlewares=[from_this_machine])
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._api.method),
                web.post("/actions/{team}/{token}", self._api.response_url),
                web.get("/link", self._line.link),
                *self._routes(self),
            ]
        )
        # No access log: query strings of the Web API may carry text.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._api.close()
        self._events.close()
        await self._line.close()
        if self._runner:
            await self._runner.cleanup()

    # The app's settings

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def request_url(self) -> str | None:
        """Where payloads go over HTTP; None while they go over Socket Mode."""
        return self._line.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._line.request_url = url

    @property
    def connections(self) -> int:
        return self._line.connections

    # What a person sees

    def messages(self, channel: str | None = None, thread_ts: str | None = None) -> list[JSON]:
        """Those of a channel, replies included; with `thread_ts` the message that began the thread and its replies."""
        posted = self._workspace.posted[channel or self.channel].values()
        return copy.deepcopy([each for each in posted if thread_ts in (None, each["ts"], each.get("thread_ts"))])

    def ephemerals(self, user: str | None = None, channel: str | None = None) -> list[JSON]:
        shown = self._workspace.shown[user or self.user].values()
        return copy.deepcopy([each for each in shown if channel in (None, each["channel"])])

    def views(self, user: str | None = None) -> list[JSON]:
        return copy.deepcopy([modal.as_json() for modal in self._workspace.stacks[user or self.user]])

    def view(self, user: str | None = None) -> JSON | None:
        views = self.views(user)
        return views[-1] if views else None

    def state(self, view: JSON) -> dict[str, dict[str, JSON]]:
        return copy.deepcopy(self._modal(view)[1].typed)

    def view_errors(self, view: JSON) -> dict[str, str]:
        return dict(self._modal(view)[1].errors)

    def notices(self, user: str | None = None) -> list[JSON]:
        return copy.deepcopy(list(self._workspace.notices[user or self.user]))

    async def changed(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109  # so that each wait can name its own
        return await self._events.changed(predicate, timeout)

    def subscribe(self) -> Subscription:
        return self._events.subscribe()

    def snapshot(self) -> JSON:
        more = {
            "you": self.user,
            "commands": self._offered("slash_commands"),
            "shortcuts": self._offered("shortcuts"),
            "connections": self.connections,
            "events": list(self._events.kept),
        }
        return copy.deepcopy(self._workspace.snapshot() | more)

    # What a person does

    def post(
        self,
        text: str,
        *,
        channel: str | None = None,
        user: str | None = None,
        thread_ts: str | None = None,
        **fields: Any,
    ) -> JSON:
        """A message of a person. `fields` are further ones of Slack's message object, or others' values of them."""
        typed = self._typed(text)
        message: JSON = {
            "user": user or self.user,
            "text": typed.mrkdwn(labels=False),
            "blocks": [
                {
                    "type": "rich_text",
                    "block_id": "typed",
                    "elements": [{"type": "rich_text_section", "elements": typed.parts()}],
                }
            ],
        }
        if thread_ts:
            message["thread_ts"] = thread_ts
        return copy.deepcopy(self._workspace.post(channel or self.channel, message | fields))

    async def command(
        self, command: str, text: str = "", *, channel: str | None = None, user: str | None = None
    ) -> Delivery:
        who, where = self._who(user), self._workspace.channels[channel or self.channel]
        offered = {each["command"]: each for each in self._offered("slash_commands")}
        if self._manifest is not None and command not in offered:
            raise NotOffered(f"{command} is not a command of the app")
        if self._manifest is None or offered[command].get("should_escape"):
            text = self._typed(text.strip()).mrkdwn(labels=True)
        else:
            text = escaped(text.strip())
        payload = command_form(command, text, who, where)
        payload |= self._grant(who, where.id)
        return await self._deliver(Delivery("slash_commands", payload, who.id, command, where.id))

    async def global_shortcut(self, callback_id: str, *, user: str | None = None) -> Delivery:
        who = self._who(user)
        self._shortcut_is_offered(callback_id, "global")
        payload = common(who) | {
            "type": "shortcut",
            "action_ts": self._workspace.ts(),
            "callback_id": callback_id,
            "trigger_id": self._grants.trigger(who.id),
        }
        return await self._deliver(Delivery("shortcut", payload, who.id, callback_id))

    async def message_shortcut(self, callback_id: str, message: JSON, *, user: str | None = None) -> Delivery:
        who = self._who(user)
        self._shortcut_is_offered(callback_id, "message")
        where = self._workspace.channels[message["channel"]]
        posted = self._workspace.posted[where.id].get(message["ts"])
        if posted is None:
            raise NotOffered("a shortcut is for messages that were sent, and not for those only one person sees")
        payload = common(who) | {
            "type": "message_action",
            "action_ts": self._workspace.ts(),
            "callback_id": callback_id,
            "channel": {"id": where.id, "name": where.payload_name},
            "message_ts": posted["ts"],
            "message": bare(posted),
            **self._grant(who, where.id),
        }
        return await self._deliver(Delivery("message_action", payload, who.id, callback_id, where.id))

    async def press(self, where: JSON, action_id: str, value: Any = None, *, user: str | None = None) -> Delivery:
        if where["type"] == "modal":
            return await self._press_in_view(where, action_id, value, user)
        who = self._who(user or where.get("seen_by"))
        channel = self._workspace.channels[where["channel"]]
        try:
            message, ephemeral = self._workspace.find(who.id, channel.id, where["ts"])
        except KeyError:
            raise NotOffered("the message is gone") from None
        blocks = message.get("blocks", [])
        block, element = component(blocks, action_id, value)
        did = action(block, element, value, self._workspace.channels, self._workspace.ts())
        remember(self._workspace.picks[message["ts"]], block, element, did)
        container = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        payload = common(who) | {
            "type": "block_actions",
            "container": container,
            "channel": {"id": channel.id, "name": channel.payload_name},
            "state": message_state(blocks, self._workspace.picks[message["ts"]]),
            "actions": [did],
            **self._grant(who, channel.id, message["ts"]),
        }
        if not ephemeral:
            # Slack does not keep what only one person sees, and so sends none of it back.
            payload["message"] = bare(message)
        return await self._deliver(Delivery("block_actions", payload, who.id, action_id, channel.id))

    async def _press_in_view(self, view: JSON, action_id: str, value: Any, user: str | None) -> Delivery:
        who, modal = self._modal(view, user)
        block, element = component(modal.view["blocks"], action_id, value)
        did = action(block, element, value, self._workspace.channels, self._workspace.ts())
        remember(modal.typed, block, element, did)
        payload = common(who) | {
            "type": "block_actions",
            "container": {"type": "view", "view_id": modal.view["id"]},
            "trigger_id": self._grants.trigger(who.id, modal.channel, modal.view["id"]),
            "view": modal.as_json(),
            "actions": [did],
        }
        return await self._deliver(Delivery("block_actions", payload, who.id, action_id, modal.channel))

    def fill(self, view: JSON, values: Mapping[str, Any]) -> None:
        """Types or picks: `{action_id: text, option value, list of them, or conversation id}`."""
        who, modal = self._modal(view)
        modal.fill(values, self._workspace.channels)
        self._workspace.changed(who.id)

    async def submit(self, view: JSON, values: Mapping[str, Any] | None = None, *, user: str | None = None) -> Delivery:
        who, modal = self._modal(view, user)
        self.fill(view, values or {})
        modal.submittable()
        modal.errors = {}
        payload = common(who) | {
            "type": "view_submission",
            "trigger_id": self._grants.trigger(who.id, modal.channel, modal.view["id"]),
            "view": modal.as_json(),
            "response_urls": self._response_urls(who, modal),
        }
        about = modal.view["callback_id"]
        return await self._deliver(Delivery("view_submission", payload, who.id, about, modal.channel))

    async def close(self, view: JSON, *, user: str | None = None) -> Delivery | None:
        """None where the view did not ask to hear of it."""
        who, modal = self._modal(view, user)
        if modal.view["clear_on_close"]:
            self._workspace.clear(who.id)
        else:
            self._workspace.close(who.id, modal)
        if not modal.view["notify_on_close"]:
            return None
        payload = common(who) | {
            "type": "view_closed",
            "view": modal.as_json(),
            "is_cleared": modal.view["clear_on_close"],
        }
        return await self._deliver(Delivery("view_closed", payload, who.id, modal.view["callback_id"], modal.channel))

    # Trouble

    async def redeliver(
        self, delivery: Delivery, *, timestamp: float | None = None, secret: str | None = None
    ) -> Delivery:
        again = Delivery(delivery.kind, delivery.payload, delivery.user, delivery.about, delivery.channel)
        return await self._deliver(again, timestamp=timestamp, secret=secret, again=True)

    def fail(
        self,
        what: str,
        *,
        status: int | None = None,
        error: str | None = None,
        retry_after: int | None = None,
        hang: bool = False,
        drop: bool = False,
        times: int = 1,
    ) -> None:
        self._api.fail(what, Trouble(status, error, retry_after, hang, drop, times))

    async def disconnect(self, reason: str) -> None:
        await self._line.disconnect(reason)

    def drop_connections(self) -> None:
        self._line.drop()

    # Inside

    def _who(self, user: str | None) -> User:
        return self._workspace.users[user or self.user]

    def _typed(self, text: str) -> Typed:
        return Typed(text, self._workspace.users.values(), self._workspace.channels.values())

    def _modal(self, view: JSON, user: str | None = None) -> tuple[User, Modal]:
        """Whose it is, and the modal, if they see it and not another one on top of it."""
        try:
            owner, modal = self._workspace.modal(view["id"])
        except Refused:
            raise NotOffered("the modal is closed") from None
        if user not in (None, owner) or self._workspace.stacks[owner][-1] is not modal:
            raise NotOffered("the modal is not in front of them")
        return self._who(owner), modal

    def _offered(self, what: str) -> list[JSON]:
        return list((self._manifest or {}).get("features", {}).get(what, []))

    def _shortcut_is_offered(self, callback_id: str, kind: str) -> None:
        offered = {(each["callback_id"], each["type"]) for each in self._offered("shortcuts")}
        if self._manifest is not None and (callback_id, kind) not in offered:
            raise NotOffered(f"{callback_id} is not a {kind} shortcut of the app")

    def _grant(self, who: User, channel: str, original: str | None = None) -> JSON:
        token = self._grants.response_url(who.id, channel, original)
        return {
            "response_url": self._url_of(token),
            "trigger_id": self._grants.trigger(who.id, channel),
        }

    def _url_of(self, token: str) -> str:
        return f"{self.url}/actions/{place.TEAM['id']}/{token}"

    def _response_urls(self, who: User, modal: Modal) -> list[JSON]:
        return [
            {**chosen, "response_url": self._url_of(self._grants.response_url(who.id, chosen["channel_id"]))}
            for chosen in modal.response_channels()
        ]

    async def _deliver(self, delivery: Delivery, **how: Any) -> Delivery:
        delivery.payload = copy.deepcopy(delivery.payload)
        await self._line.send(delivery, **how)
        if delivery.error is None:
            try:
                honour(delivery, self._workspace, self._grants)
            except Refused as refused:
                slash = delivery.kind == "slash_commands"
                delivery.error = "invalid_command_response" if slash else f"invalid_view_response: {refused.code}"
        if delivery.error is not None:
            self._workspace.notice(delivery.user, delivery.channel, delivery.error, delivery.about)
        return delivery
