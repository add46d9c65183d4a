"""What an app may ask of Slack: the Web API, and the uses of a response_url."""

import base64
import binascii
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.local_slack.app import APP_ID
from bot.local_slack.chat import Chat
from bot.local_slack.errors import Refused
from bot.local_slack.events import JSON, Events
from bot.local_slack.faults import Fault, Faults
from bot.local_slack.grants import Grants
from bot.local_slack.installations import Installations, Token
from bot.local_slack.socket_mode import SocketMode

CALLS = 2_000
"""Calls remembered; the oldest go first."""
_SECRETS = ("token", "client_secret", "code", "refresh_token")
"""Arguments that are not remembered, and told to nobody."""

Method = Callable[[Token, JSON], JSON]


@dataclass(frozen=True)
class Call:
    """One call of the app, as it came in and as it was answered."""

    method: str
    request: JSON
    response: Any


class WebApi:
    """Answers the app. `methods` need a token of the app's, `oauth_access` gives tokens away."""

    def __init__(
        self,
        events: Events,
        faults: Faults,
        installations: Installations,
        grants: Grants,
        chat: Chat,
        socket_mode: SocketMode,
        *,
        app_token: str,
        methods: dict[str, Method],
        oauth_access: Callable[[JSON], JSON],
    ) -> None:
        self._events = events
        self._faults = faults
        self._installations = installations
        self._grants = grants
        self._chat = chat
        self._socket_mode = socket_mode
        self._app_token = app_token
        self._methods = methods
        self._oauth_access = oauth_access
        self.calls: deque[Call] = deque(maxlen=CALLS)

    async def method(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        try:
            args = await _arguments(request)
        except ValueError:
            return self._answer(name, {}, {"ok": False, "error": "invalid_json"})
        # A token in the query is not taken: https://docs.slack.dev/changelog/2020-11-no-more-tokens-in-querystrings
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = bearer or args.get("token", "")
        told = {key: value for key, value in args.items() if key not in _SECRETS}
        fault = self._faults.next(name)
        if fault and not fault.done:
            return await self._failed(request, name, told, fault)
        headers: dict[str, str] = {}
        try:
            if name == "oauth.v2.access":
                result = self._oauth_access(_with_credentials(request, args))
            elif name == "apps.connections.open":
                # The token of the app stands in the header; as an argument Slack does not take it.
                self._check_app_token(bearer)
                result = {"url": f"ws://{request.host}/link?ticket={self._socket_mode.ticket()}&app_id={APP_ID}"}
            else:
                result = self._with_token(name, token, args, headers)
            body = {"ok": True, **result}
        except Refused as refused:
            body = {"ok": False, "error": refused.code, **refused.details}
        if fault:
            return await self._failed(request, name, told, fault)
        return self._answer(name, told, body, headers=headers)

    async def response_url(self, request: web.Request) -> web.Response:
        try:
            args = await _arguments(request)
        except ValueError:
            return self._answer("response_url", {}, "invalid_payload", status=400)
        fault = self._faults.next("response_url")
        if fault and not fault.done:
            if fault.retry_after is None and fault.error != "ratelimited":
                # Whether what failed counts, Slack does not say: here it does. What was turned away does not.
                self._use(request)
            return await self._failed(request, "response_url", args, fault)
        body: JSON | str
        try:
            grant = self._grants.use(request.match_info["token"])
        except Refused as refused:
            return self._answer("response_url", args, {"ok": False, "error": refused.code}, status=404)
        try:
            self._chat.respond(grant, args)
            body, status = "ok", 200
        except Refused as refused:
            body, status = {"ok": False, "error": refused.code}, 500
        if fault:
            return await self._failed(request, "response_url", args, fault)
        return self._answer("response_url", args, body, status=status)

    def _use(self, request: web.Request) -> None:
        try:
            self._grants.use(request.match_info["token"])
        except Refused:
            return  # dead already

    def _with_token(self, name: str, value: str, args: JSON, headers: dict[str, str]) -> JSON:
        if value == self._app_token:
            raise Refused("not_allowed_token_type")
        token = self._installations.token(value)
        if name not in self._methods:
            raise Refused("unknown_method", req_method=name)
        provided = ",".join(sorted(token.scopes))
        headers["x-oauth-scopes"] = provided
        if name.startswith("chat.") and "chat:write" not in token.scopes:
            raise Refused("missing_scope", needed="chat:write", provided=provided)
        if name.startswith("views.") and not token.is_bot:
            raise Refused("not_allowed_token_type")
        return self._methods[name](token, args)

    def _check_app_token(self, bearer: str) -> None:
        if not bearer:
            raise Refused("not_authed")
        if bearer != self._app_token:
            raise Refused("invalid_auth" if bearer.startswith("xapp-") else "not_allowed_token_type")

    def _answer(
        self, method: str, request: JSON, body: JSON | str, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> web.Response:
        # What it answers there is all tokens.
        told = {"ok": True} if method == "oauth.v2.access" and isinstance(body, dict) and body["ok"] else body
        self.calls.append(Call(method, request, told))
        self._events.emit("api", method=method, request=request, response=told, status=status)
        if isinstance(body, str):
            return web.Response(text=body, status=status, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    async def _failed(self, request: web.Request, method: str, args: JSON, fault: Fault) -> web.Response:
        if fault.drop or fault.hang:
            self.calls.append(Call(method, args, None))
            self._events.emit("api", method=method, request=args, response=None, status=None)
            if fault.hang:
                await self._faults.hang()
            if request.transport:
                request.transport.abort()
            return web.Response()
        if fault.retry_after is not None or fault.error == "ratelimited":
            after = {"Retry-After": str(30 if fault.retry_after is None else fault.retry_after)}
            body = {"ok": False, "error": fault.error or "ratelimited"}
            return self._answer(method, args, body, status=fault.status or 429, headers=after)
        status = fault.status or (500 if method == "response_url" else 200)
        if fault.error is None and fault.status:
            return self._answer(method, args, f"{fault.status}", status=status)
        return self._answer(method, args, {"ok": False, "error": fault.error or "internal_error"}, status=status)


async def _arguments(request: web.Request) -> JSON:
    """The arguments of a call, in the query, as a form or as JSON. Raises ValueError."""
    args: Any
    query = {name: value for name, value in request.query.items() if name != "token"}
    if request.content_type == "application/json":
        # The urllib client calls a method without arguments with this type and an empty body.
        args = json.loads(await request.text() or "{}")
        if not isinstance(args, dict):
            raise ValueError("not an object")
        return {**query, **args}
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    args = {**query, **form}
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


def _with_credentials(request: web.Request, args: JSON) -> JSON:
    """The app's, which may stand in the header: https://docs.slack.dev/reference/methods/oauth.v2.access"""
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if kind != "Basic":
        return args
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, ValueError):
        return args
    return {**args, "client_id": client_id, "client_secret": secret}
