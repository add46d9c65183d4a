"""What an app may ask of Slack: the Web API, and the uses of a response_url."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.local_slack.answers import FROM_APP, checked_message, checked_view, respond
from bot.local_slack.delivery import Line
from bot.local_slack.errors import Refused, refused_because
from bot.local_slack.events import JSON, Events
from bot.local_slack.grants import Grants
from bot.local_slack.workspace import APP_ID, BOT, BOT_ID, TEAM, Workspace

CALLS = 2_000
"""Calls remembered; the oldest go first."""


@dataclass
class Trouble:
    """How the next uses of a method fail: with a status, a Slack error, no answer at all, or a cut line."""

    status: int | None = None
    error: str | None = None
    retry_after: int | None = None
    hang: bool = False
    drop: bool = False
    times: int = 1


@dataclass(frozen=True)
class Call:
    """One call of the app, as it came in and as it was answered."""

    method: str
    request: JSON
    response: Any


class WebApi:
    """Answers the app; the state it works on belongs to the others."""

    def __init__(self, workspace: Workspace, events: Events, grants: Grants, line: Line, scopes: set[str]) -> None:
        self._workspace = workspace
        self._events = events
        self._grants = grants
        self._line = line
        self.scopes = scopes
        self.bot_token = f"xoxb-local-{secrets.token_hex(16)}"
        self.app_token = f"xapp-local-{secrets.token_hex(16)}"
        self.calls: deque[Call] = deque(maxlen=CALLS)
        self._trouble: dict[str, deque[Trouble]] = {}
        self._closing = asyncio.Event()
        self._methods: dict[str, Callable[[JSON], JSON]] = {
            "api.test": lambda args: {"args": args},
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update_message,
            "chat.delete": self._delete_message,
            "views.open": self._views_open,
            "views.push": self._views_push,
            "views.update": self._views_update,
        }

    def close(self) -> None:
        """Lets go of the requests that hang."""
        self._closing.set()

    def fail(self, what: str, trouble: Trouble) -> None:
        self._trouble.setdefault(what, deque()).append(trouble)

    # The edge

    async def method(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        try:
            args = await _arguments(request)
            token = request.headers.get("Authorization", "").removeprefix("Bearer ") or args.pop("token", "")
        except ValueError:
            return self._answer(name, {}, {"ok": False, "error": "invalid_json"})
        args.pop("token", None)
        if trouble := self._next_trouble(name):
            return await self._troubled(request, name, args, trouble)
        headers = {}
        try:
            if name == "apps.connections.open":
                # The token of the app stands in the header; as an argument Slack does not take it.
                _check_token(request.headers.get("Authorization", "").removeprefix("Bearer "), self.app_token)
                host = f"ws://{request.host}"
                result: JSON = {"url": f"{host}/link?ticket={self._line.ticket()}&app_id={APP_ID}"}
            else:
                _check_token(token, self.bot_token)
                if name not in self._methods:
                    raise Refused("unknown_method", req_method=name)
                headers["x-oauth-scopes"] = ",".join(sorted(self.scopes))
                if name.startswith("chat."):
                    self._need("chat:write")
                result = self._methods[name](args)
            body = {"ok": True, **result}
        except Refused as refused:
            body = {"ok": False, "error": refused.code, **refused.details}
        return self._answer(name, args, body, headers=headers)

    async def response_url(self, request: web.Request) -> web.Response:
        try:
            args = await _arguments(request)
        except ValueError:
            return self._answer("response_url", {}, "invalid_payload", status=400)
        if trouble := self._next_trouble("response_url"):
            return await self._troubled(request, "response_url", args, trouble)
        try:
            grant = self._grants.valid_url(request.match_info["token"])
        except Refused as refused:
            return self._answer("response_url", args, {"ok": False, "error": refused.code}, status=404)
        try:
            respond(self._workspace, grant, args)
        except Refused as refused:
            return self._answer("response_url", args, {"ok": False, "error": refused.code}, status=500)
        grant.uses += 1
        return self._answer("response_url", args, "ok")

    def _answer(
        self, method: str, request: JSON, body: JSON | str, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> web.Response:
        self.calls.append(Call(method, request, body))
        self._events.emit("api", method=method, request=request, response=body, status=status)
        if isinstance(body, str):
            return web.Response(text=body, status=status, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    def _next_trouble(self, what: str) -> Trouble | None:
        queue = self._trouble.get(what)
        if not queue:
            return None
        trouble = queue[0]
        trouble.times -= 1
        if trouble.times <= 0:
            queue.popleft()
        return trouble

    async def _troubled(self, request: web.Request, method: str, args: JSON, trouble: Trouble) -> web.Response:
        if trouble.drop or trouble.hang:
            self.calls.append(Call(method, args, None))
            self._events.emit("api", method=method, request=args, response=None, status=None)
            if trouble.hang:
                await self._closing.wait()
            if request.transport:
                request.transport.abort()
            return web.Response()
        if trouble.retry_after is not None or trouble.error == "ratelimited":
            after = {"Retry-After": str(1 if trouble.retry_after is None else trouble.retry_after)}
            body = {"ok": False, "error": trouble.error or "ratelimited"}
            return self._answer(method, args, body, status=trouble.status or 429, headers=after)
        status = trouble.status or (500 if method == "response_url" else 200)
        if trouble.error is None and trouble.status:
            return self._answer(method, args, f"{trouble.status}", status=status)
        return self._answer(method, args, {"ok": False, "error": trouble.error or "internal_error"}, status=status)

    def _need(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    # Methods

    def _auth_test(self, args: JSON) -> JSON:
        return {
            "url": f"https://{TEAM['domain']}.slack.com/",
            "team": "Local Slack",
            "user": BOT.name,
            "team_id": TEAM["id"],
            "user_id": BOT.id,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
        }

    def _post_message(self, args: JSON) -> JSON:
        channel = self._writable(args)
        body = checked_message(args, cut=True)
        if thread_ts := args.get("thread_ts"):
            body["thread_ts"] = thread_ts
        message = self._workspace.post(channel, FROM_APP | body)
        return {"channel": channel, "ts": message["ts"], "message": message}

    def _post_ephemeral(self, args: JSON) -> JSON:
        channel = self._writable(args)
        user = args.get("user")
        if user not in self._workspace.users:
            raise Refused("user_not_found")
        if user not in self._workspace.channels[channel].members:
            raise Refused("user_not_in_channel")
        message = self._workspace.show(str(user), channel, FROM_APP | checked_message(args))
        return {"message_ts": message["ts"]}

    def _update_message(self, args: JSON) -> JSON:
        channel, ts = self._own(args, "cant_update_message")
        message = self._workspace.replace(BOT.id, channel, ts, checked_message(args))
        return {"channel": channel, "ts": ts, "text": message.get("text", ""), "message": message}

    def _delete_message(self, args: JSON) -> JSON:
        channel, ts = self._own(args, "cant_delete_message")
        self._workspace.delete(BOT.id, channel, ts)
        return {"channel": channel, "ts": ts}

    def _writable(self, args: JSON) -> str:
        channel = str(args.get("channel", ""))
        if channel in self._workspace.users:
            return self._workspace.direct(channel)
        place = self._workspace.channels.get(channel)
        if place is None or (BOT.id not in place.members and place.kind != "channel"):
            raise Refused("channel_not_found")
        if BOT.id not in place.members:
            raise Refused("not_in_channel")
        return channel

    def _own(self, args: JSON, code: str) -> tuple[str, str]:
        """Channel and ts of a message of the app. An ephemeral one is not to be found this way."""
        channel, ts = str(args.get("channel", "")), str(args.get("ts", ""))
        if channel not in self._workspace.channels:
            raise Refused("channel_not_found")
        message = self._workspace.posted[channel].get(ts)
        if message is None:
            raise Refused("message_not_found")
        if message.get("user") != BOT.id:
            raise Refused(code)
        return channel, ts

    def _views_open(self, args: JSON) -> JSON:
        view = checked_view(args.get("view"))
        trigger = self._grants.valid_trigger(_given(args, "trigger_id"))
        shown = self._workspace.open(trigger.user, view, trigger.channel)
        trigger.exchanged = True
        return {"view": shown}

    def _views_push(self, args: JSON) -> JSON:
        view = checked_view(args.get("view"))
        trigger = self._grants.valid_trigger(_given(args, "trigger_id"))
        if trigger.view is None:
            raise Refused("not_found")
        shown = self._workspace.push(trigger.user, view, trigger.channel)
        trigger.exchanged = True
        return {"view": shown}

    def _views_update(self, args: JSON) -> JSON:
        if args.get("view_id") and args.get("external_id"):
            raise refused_because("invalid_arguments", ["Cannot provide both `view_id` and `external_id`"])
        view = checked_view(args.get("view"))
        user, modal = self._workspace.modal(args.get("view_id"), args.get("external_id"))
        if args.get("hash") and args["hash"] != modal.view["hash"]:
            raise Refused("hash_conflict")
        return {"view": self._workspace.update(user, modal, view)}


async def _arguments(request: web.Request) -> JSON:
    """The arguments of a call, in the query, as a form or as JSON. Raises ValueError."""
    args: Any
    if request.content_type == "application/json":
        # The urllib client calls a method without arguments with this type and an empty body.
        args = json.loads(await request.text() or "{}")
        if not isinstance(args, dict):
            raise ValueError("not an object")
        return {**request.query, **args}
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    args = {**request.query, **form}
    if "payload" in args and len(args) == 1:
        args = json.loads(args["payload"])
        if not isinstance(args, dict):
            raise ValueError("not an object")
    for name in ("blocks", "view", "attachments"):
        if isinstance(args.get(name), str):
            args[name] = json.loads(args[name])
    for name in ("replace_original", "delete_original"):
        if name in args:
            args[name] = str(args[name]).lower() in ("1", "true")
    arguments: JSON = args
    return arguments


def _check_token(token: object, expected: str) -> None:
    if not token:
        raise Refused("not_authed")
    if token != expected:
        kind = str(token)[:5]
        raise Refused(
            "not_allowed_token_type" if kind in ("xoxb-", "xapp-") and kind != expected[:5] else "invalid_auth"
        )


def _given(args: JSON, name: str) -> object:
    if not args.get(name):
        raise refused_because("invalid_arguments", [f"missing required field: {name} [json-pointer:/{name}]"])
    return args[name]
