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
other; the app is no part of it), `slack.elsewhere` (public, `slack.user` is no member). All are ids. There is a second
workspace, in which the app is not installed: `slack.second_team`, `slack.second_user`, `slack.second_channel`. An id
says by itself which workspace is meant. A message is Slack's JSON object with `channel` added; an ephemeral one has
`is_ephemeral` and `seen_by` too. `archive(channel)` closes a channel; `edit_seconds` is how long people may change
what they sent.

**What a person does.** Each returns a `Delivery` once the app has acked, or has failed to:

- `command("/angel", text, channel=, user=)`: text as typed; `@name`, `#channel`, links are escaped as the
  manifest asks
- `global_shortcut(callback_id, user=)`
- `message_shortcut(callback_id, message, user=)`
- `press(where, action_id, value=None, user=)`: a button or menu in a message, modal or Home tab; `value` picks the
  option, or which of several with the same `action_id`
- `submit(view, values=None, user=)`: values `{action_id: what was typed or picked}`; what was typed before
  stays
- `close(view, user=)`: the X or Close of a modal
- `open_home(user=)`: the app's Home tab
- `redeliver(delivery, timestamp=None, secret=None)`: the very same payload again; with an old timestamp or a
  wrong secret too

and, with no word to the app: `post(text, channel=, user=, thread_ts=) -> message`, `fill(view, values)`, and
`authorize(url, user=, allow=True, org_wide=False)`, which presses Allow or Cancel on the page at `authorize_url` and
returns the address to which Slack sends the browser. What Slack would not offer (a command that is not in the manifest,
a shortcut on an ephemeral message, a required input left empty, a workspace without the app) raises `NotOffered`.

`Delivery`: `kind` (slash_commands, shortcut, message_action, block_actions, view_submission, view_closed, events_api),
`payload` (what the app got, a dict), `acked`, `answer` (the body of the ack, or None), `error` (what the person
is told instead: operation_timeout, dispatch_failed, http_service_error, invalid_command_response, ...),
`status` (HTTP only), `via` ("socket_mode" or "http").

**What a person sees.** `messages(channel=None, thread_ts=None)`, `ephemerals(user=None, channel=None)`,
`view(user=None)` (the modal in front of them, or None), `home(user=None)` (what was published in their Home tab),
`state(view)` (what was typed, in Slack's `state.values` shape), `view_errors(view)` (block_id -> error under an
input), `notices(user=None)` (what Slack itself told them, such as operation_timeout). `await changed(predicate,
timeout=120)` waits without polling until `predicate()` is true and returns what it returned.

**The app.** It is installed in the first workspace, with the scopes `scopes` and the token `bot_token`, unless
`installed=False`; `client_id`, `client_secret` and `redirect_urls` are for OAuth, `app_token` for Socket Mode,
`signing_secret` for HTTP. `uninstall(team=)` and `revoke(user)` are what an admin and a person do on Slack's own pages.
`calls` lists (method, request, response) of every Web API call and use of a response_url (the method is then
"response_url").

**Time.** `trigger_id` (3 s, one use), `response_url` (30 minutes, 5 uses), the wait for an ack (3 s), codes and tokens
of OAuth go by `slack.clock`. `slack.clock.advance(1800)` lets time pass; `LocalSlack(clock=Clock(frozen=True))` lets it
pass only so; a command whose ack never comes then waits until a test lets three seconds pass.

**Trouble.** `fail(what, status=, error=, retry_after=, hang=, drop=, done=, times=)` for the next N uses of
`"response_url"`, of a Web API method such as `"views.open"`, or of `"link"` (a Socket Mode connection): an HTTP status,
a Slack error, no answer until close, or a dropped line; with `done` what was asked is done all the same, and only the
answer is lost. `disconnect(reason)` sends every Socket Mode connection `warning` (it stays, and payloads still come on
it), `refresh_requested` or `link_disabled` (it is closed once what is owed is acked; `acks=False`: at once);
`drop_connections()` cuts them, with whatever is unread.

**For observers.** `with slack.subscribe() as events: async for event in events: ...` gives what happens from
now on as JSON-able dicts, each with `id` (counts up) and `type`; a slow reader loses the oldest and gets
`{"type": "lost", "count": n}`.

    message    channel, message                      a message that everybody in the channel sees
    ephemeral  user, channel, message                a message only `user` sees
    replaced   channel, ts, message, user            message `ts` is now `message`; `user` is set if it is ephemeral
    deleted    channel, ts, user
    view       user, view, errors                    the modal in front of the person, or None
    home       user, view, errors                    what stands in the person's Home tab
    delivery   delivery, kind, via, payload          sent to the app, exactly so
    ack        delivery, kind, answer, error, status the app's ack, or what the person is told instead
    api        method, request, response, status     a Web API call, or a use of a response_url (method "response_url")
    error      user, channel, error, about           what Slack tells the person, `about` the command or callback
    channel    channel                               a new place, or one that changed
    connection connections                           how many Socket Mode connections there are now

`snapshot()` is everything for a page that (re)loads: teams, signed_in, users, channels, messages, ephemerals, views,
homes, errors, notices, commands, shortcuts, app, `events` (the latest ones) and `last` (the id of the last event).
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from aiohttp import web

from bot.local_slack.auth_methods import AuthMethods
from bot.local_slack.authorize_page import AuthorizePage
from bot.local_slack.clock import Clock
from bot.local_slack.delivery import Delivery
from bot.local_slack.errors import NotOffered
from bot.local_slack.faults import Fault
from bot.local_slack.guard import from_this_machine
from bot.local_slack.interactions import AUTHORIZE_PATH, Interactions
from bot.local_slack.view_methods import ViewMethods
from bot.local_slack.web_api import Call, WebApi

__all__ = ["Call", "Clock", "Delivery", "LocalSlack", "NotOffered"]


class LocalSlack(Interactions):
    """Two workspaces, the app, and what people do there; see the top of the file.

    `scopes` are those of the app's token, by default the manifest's. What `routes` makes, given this Slack, is served
    beside Slack's own; what a person opens belongs below `pages`. Entering raises OSError where `port` is taken.
    """

    def __init__(
        self,
        *,
        manifest: Mapping[str, Any] | None = None,
        scopes: Iterable[str] | None = None,
        installed: bool = True,
        clock: Clock | None = None,
        port: int = 0,
        routes: Callable[["LocalSlack"], Iterable[web.AbstractRouteDef]] = lambda slack: (),
    ) -> None:
        super().__init__(manifest=manifest, clock=clock)
        self.app_token = f"xapp-local-{secrets.token_hex(16)}"
        self._auth = AuthMethods(self._workspaces, self._installations, self._oauth, self._tell_beside)
        views = ViewMethods(self._app, self._workspaces, self._views, self._grants)
        self._api = WebApi(
            self._events,
            self._faults,
            self._installations,
            self._grants,
            self._chat,
            self._socket_mode,
            app_token=self.app_token,
            oauth_access=self._oauth.access,
            methods={
                "api.test": lambda token, args: {"args": args},
                "apps.uninstall": self._auth.uninstall,
                "auth.revoke": self._auth.revoke,
                "auth.test": self._auth.test,
                "chat.delete": self._chat.delete,
                "chat.postEphemeral": self._chat.post_ephemeral,
                "chat.postMessage": self._chat.post_message,
                "chat.update": self._chat.update,
                "views.open": views.open,
                "views.publish": views.publish,
                "views.update": views.update,
            },
        )
        self.calls = self._api.calls
        self.client_id, self.client_secret = self._oauth.client_id, self._oauth.client_secret
        self.redirect_urls = self._oauth.redirect_urls
        self.bot_token, self.scopes = "", set[str]()
        if installed:
            of = self._installations.hold(self.user, self._app.bot_scopes if scopes is None else scopes, ())
            assert of.bot is not None
            self.bot_token, self.scopes = of.bot.value, of.bot.scopes
        people = (self.user, self.second_user)
        self.authorize_page = AuthorizePage(self._oauth, self._workspaces, self._app.name, people)
        self._port = port
        self._routes = routes
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "LocalSlack":
        app = web.Application(client_max_size=4 * 2**20, middlewares=[from_this_machine])
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._api.method),
                web.post("/actions/{team}/{token}", self._api.response_url),
                web.get("/link", self._socket_mode.link),
                web.get(AUTHORIZE_PATH, self.authorize_page.show),
                web.post(AUTHORIZE_PATH, self.authorize_page.decide),
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
        for task in self._telling:
            task.cancel()
        self._faults.close()
        self._events.close()
        await self._socket_mode.close()
        await self._http.close()
        if self._runner:
            await self._runner.cleanup()

    # The app's settings

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def request_url(self) -> str | None:
        """Where payloads go over HTTP; None while they go over Socket Mode."""
        return self._http.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._http.request_url = url

    @property
    def connections(self) -> int:
        return self._socket_mode.connections

    # What happens on Slack's own pages

    @property
    def edit_seconds(self) -> float | None:
        """How long people may change what they sent; None is for ever."""
        return self._chat.edit_seconds

    @edit_seconds.setter
    def edit_seconds(self, seconds: float | None) -> None:
        self._chat.edit_seconds = seconds

    def archive(self, channel: str) -> None:
        self._workspaces.archive(channel)

    def uninstall(self, team: str | None = None) -> None:
        """An admin takes the app out of a workspace."""
        self._auth.end(self._installations.tokens(team or self.team))

    def revoke(self, user: str | None = None) -> None:
        """A person takes back what they let the app do in their name."""
        who = self._who(user)
        self._auth.end([token for token in self._installations.tokens(who.team) if token.user == who.id])

    # Trouble

    def fail(
        self,
        what: str,
        *,
        status: int | None = None,
        error: str | None = None,
        retry_after: int | None = None,
        hang: bool = False,
        drop: bool = False,
        done: bool = False,
        times: int = 1,
    ) -> None:
        self._faults.add(what, Fault(status, error, retry_after, hang, drop, done, times))

    async def disconnect(self, reason: str, *, acks: bool = True) -> None:
        await self._socket_mode.disconnect(reason, acks=acks)

    def drop_connections(self) -> None:
        self._socket_mode.drop()
