"""Installing Angel in a workspace, and connecting a person who lets it send as them: OAuth v2, in the browser.

Both ways end at the same redirect address. What the admin gives is a bot token with the scope `commands`; what a person
gives is a user token with `chat:write`, and nothing for the bot.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.in_flight import log
from bot.slack.manifest import CONNECT_PATH, INSTALL_PATH, REDIRECT_PATH, bot_scopes
from bot.slack.pages import Page
from bot.slack.quiet import quiet
from bot.store.owners import Person, Workspace
from bot.store.terms import SEND_SCOPE, StoreUnavailable, WrongKey

if TYPE_CHECKING:
    from bot.store.store import Store  # which imports the database; a worker without a store does without

CONNECT_SECONDS = 3_600
"""How long a link to connect works after it was shown in Slack."""
SLACK_AUTHORIZE = "https://slack.com/oauth/v2/authorize"

AGAIN = "Start again"


class Installing:
    """The routes of both ways, and the links that lead to them."""

    def __init__(
        self, store: "Store", *, client_id: str, client_secret: str, url: str, slack_url: str, client: AsyncWebClient
    ) -> None:
        """`url` is where the browser reaches us, without a slash at its end; `client` asks Slack, with no token."""
        self._store = store
        self._url = url
        self._flow = _Flow(store, client_id, client_secret, f"{url}{REDIRECT_PATH}", slack_url, client)

    def connect_link(self, person: Person) -> str:
        """Where this person, and nobody else, connects; for an hour."""
        return f"{self._url}{CONNECT_PATH}?{urlencode({'for': self._store.cipher.encrypted(_packed(person))})}"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(INSTALL_PATH, self._install),
            web.get(CONNECT_PATH, self._connect),
            web.get(REDIRECT_PATH, self._back),
        ]

    async def _install(self, request: web.Request) -> web.StreamResponse:
        return await self._guarded(request, "install")

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        return await self._guarded(request, "connect")

    async def _back(self, request: web.Request) -> web.StreamResponse:
        return await self._guarded(request, "oauth")

    async def _guarded(self, request: web.Request, step: str) -> web.StreamResponse:
        """Whatever goes wrong is a page that says what to do, and one line in the log."""
        bolt_request = AsyncBoltRequest(body="", query=request.query_string, headers=dict(request.headers))
        try:
            if step == "oauth":
                answer = await self._flow.handle_callback(bolt_request)
            elif step == "connect":
                answer = await self._flow.start_connecting(bolt_request)
            else:
                answer = await self._flow.handle_installation(bolt_request)
        except StoreUnavailable:
            log(step, "store_unavailable", 0)
            return STORE_DOWN.response()
        except _Ends as ending:
            log(step, ending.outcome, 0)
            return ending.page.response()
        return await to_aiohttp_response(answer)


class _Ends(BoltError):
    """The way ends here, with this page. Bolt's flow hands a BoltError on while it stores an installation."""

    def __init__(self, outcome: str, page: Page) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.page = page


class _Flow(AsyncOAuthFlow):
    """Bolt's flow; its state also carries, encrypted, who pressed "connect", so that nobody else ends up connected."""

    def __init__(
        self,
        store: "Store",
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        slack_url: str,
        client: AsyncWebClient,
    ) -> None:
        self._store = store
        self._authorize = _authorize_url(slack_url)
        super().__init__(
            client=client,
            logger=quiet(),
            settings=AsyncOAuthSettings(
                client_id=client_id,
                client_secret=client_secret,
                scopes=sorted(bot_scopes()),
                user_scopes=[],
                redirect_uri=redirect_uri,
                install_path=INSTALL_PATH,
                install_page_rendering_enabled=False,
                redirect_uri_path=REDIRECT_PATH,
                authorization_url=self._authorize,
                installation_store=store.installations,
                state_store=store.states,
                state_expiration_seconds=store.states.expiration_seconds,
                callback_options=AsyncCallbackOptions(success=_succeeded, failure=_failed),
                logger=quiet(),
            ),
        )

    async def start_connecting(self, request: AsyncBoltRequest) -> BoltResponse:
        """Sends the browser to Slack to ask for the right to send, for the person that the link was made for."""
        person = self._expected(request.query.get("for", [""])[0], seconds=CONNECT_SECONDS)
        if person is None:
            raise _Ends("link_expired", LINK_EXPIRED)
        rules = await self._store.choices.of_workspace(person.workspace)
        if not rules.lets_connect(person.user_id):
            raise _Ends("not_allowed", NOT_ALLOWED)
        # Without the padding: cookies are taken apart at their equals signs.
        carried = self._store.cipher.encrypted(_packed(person)).rstrip("=")
        state = f"{await self.issue_new_state(request)}.{carried}"
        query = {
            "client_id": self.client_id,
            "scope": "",
            "user_scope": SEND_SCOPE,
            "redirect_uri": str(self.redirect_uri),
            "state": state,
        } | ({"team": person.workspace.team_id} if person.workspace.team_id else {})
        cookie = self.settings.state_utils.build_set_cookie_for_new_state(state)
        headers = await self.append_set_cookie_headers({"Location": f"{self._authorize}?{urlencode(query)}"}, cookie)
        return BoltResponse(status=302, body="", headers=headers)

    async def run_installation(self, code: str) -> Installation | None:
        """What `oauth.v2.access` brings for the code, or None where Slack refuses it.

        Bolt's own asks about the bot of an organisation also where no bot token came, and fails.
        """
        try:
            brought = await self.client.oauth_v2_access(
                code=code,
                client_id=self.client_id,
                client_secret=self.settings.client_secret,
                redirect_uri=self.settings.redirect_uri,
            )
            bot_token = brought.get("access_token")
            bot = await self.client.auth_test(token=bot_token) if bot_token else None
        except SlackApiError as error:
            log("oauth", f"refused:{error.response.get('error')}", 0)
            return None
        except (aiohttp.ClientError, TimeoutError) as error:
            log("oauth", f"slack_unreachable:{type(error).__name__}", 0)
            return None
        team, enterprise = brought.get("team") or {}, brought.get("enterprise") or {}
        person = brought.get("authed_user") or {}
        return Installation(
            app_id=brought.get("app_id"),
            enterprise_id=enterprise.get("id"),
            enterprise_name=enterprise.get("name"),
            enterprise_url=bot.get("url") if bot and brought.get("is_enterprise_install") else None,
            team_id=team.get("id"),
            team_name=team.get("name"),
            bot_token=bot_token,
            bot_id=bot.get("bot_id") if bot else None,
            bot_user_id=brought.get("bot_user_id"),
            bot_scopes=brought.get("scope") or "",
            bot_refresh_token=brought.get("refresh_token") if bot_token else None,
            bot_token_expires_in=brought.get("expires_in") if bot_token else None,
            user_id=str(person.get("id")),
            user_token=person.get("access_token"),
            user_scopes=person.get("scope") or "",
            user_refresh_token=person.get("refresh_token"),
            user_token_expires_in=person.get("expires_in"),
            is_enterprise_install=bool(brought.get("is_enterprise_install")),
            token_type=brought.get("token_type"),
        )

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        """Keeps it, where the one who agreed is the one who was asked; else nothing is kept, at Slack neither."""
        _, _, packed = request.query.get("state", [""])[0].partition(".")
        expected = self._expected(packed) if packed else None
        if packed and (expected is None or not _is(expected, installation)):
            await self._revoke(installation)
            raise _Ends("another_person", ANOTHER_PERSON)
        try:
            await self._store.keep(installation)
        except StoreUnavailable:
            await self._revoke(installation)
            raise

    async def _revoke(self, installation: Installation) -> None:
        """A person's token that nobody keeps is of use to nobody; it may be gone already."""
        if installation.user_token:
            try:
                await self.client.auth_revoke(token=installation.user_token)
            except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
                log("revoke", f"failed:{type(error).__name__}", 0)

    def _expected(self, packed: str, *, seconds: int | None = None) -> Person | None:
        packed += "=" * (-len(packed) % 4)
        try:
            enterprise_id, team_id, whole, user_id = self._store.cipher.decrypted(packed, seconds=seconds).split(":")
        except (WrongKey, ValueError):
            return None
        return Person(Workspace(enterprise_id or None, team_id or None, whole == "1"), user_id)


def _packed(person: Person) -> str:
    workspace = person.workspace
    ids = (
        workspace.enterprise_id or "",
        workspace.team_id or "",
        str(int(workspace.whole_organisation)),
        person.user_id,
    )
    return ":".join(ids)


def _is(person: Person, installation: Installation) -> bool:
    same_place = (
        installation.enterprise_id == person.workspace.enterprise_id
        if installation.is_enterprise_install
        else installation.team_id == person.workspace.team_id
    )
    return same_place and installation.user_id == person.user_id


def _authorize_url(slack_url: str) -> str:
    """Slack's page, or the page of the stand-in whose Web API is at `slack_url`."""
    parts = urlsplit(slack_url)
    return SLACK_AUTHORIZE if parts.hostname == "slack.com" else f"{parts.scheme}://{parts.netloc}/oauth/v2/authorize"


async def _succeeded(args: AsyncSuccessArgs) -> BoltResponse:
    installation = args.installation
    if installation.bot_token is None:
        log("oauth", "connected", 0)
        return _answer(args.settings, CONNECTED)
    log("oauth", "installed", 0)
    name = installation.enterprise_name if installation.is_enterprise_install else installation.team_name
    return _answer(args.settings, installed(name or "your workspace"))


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    if isinstance(args.error, _Ends):
        raise args.error
    log("oauth", args.reason if args.reason in _FAILURES else "failed", 0)
    return _answer(args.settings, _FAILURES.get(args.reason, REFUSED))


def _answer(settings: AsyncOAuthSettings, page: Page) -> BoltResponse:
    response = page.response()
    headers: dict[str, Sequence[str]] = {name: [value] for name, value in response.headers.items()}
    headers["Set-Cookie"] = [settings.state_utils.build_set_cookie_for_deletion()]
    return BoltResponse(status=page.status, body=page.html, headers=headers)


# What the pages say

CONNECTED = Page(
    "You're connected",
    (
        "From now on you'll find Send it on my answers. It goes out under your name, only when you press it, and only "
        "to the conversation that the button names.",
        "You can close this page. Disconnect whenever you like in my Home tab in Slack.",
    ),
    ("Open Slack", "slack://open"),
)
DENIED = Page(
    "Nothing has changed",
    (
        "You said no, and that's fine: I still read drafts, and you copy and send them yourself.",
        "You can close this page.",
    ),
)
STATE_EXPIRED = Page(
    "That took too long",
    ("The page was open for more than ten minutes, or in another browser. Nothing has changed; please start again.",),
    (AGAIN, INSTALL_PATH),
    status=400,
)
LINK_EXPIRED = Page(
    "This link has expired",
    ("A link to connect works for an hour. Press Connect in Slack again to get a new one.",),
    ("Open Slack", "slack://open"),
    status=400,
)
ANOTHER_PERSON = Page(
    "That was another workspace or another account",
    (
        "The link was made for one person in one workspace, and Slack says that you agreed as somebody else. Nothing "
        "was kept.",
        "Press Connect in Slack again and pick the workspace you pressed it in.",
    ),
    ("Open Slack", "slack://open"),
    status=403,
)
NOT_ALLOWED = Page(
    "Your admin has switched this off",
    ("People here can't let me send for them. I still read drafts, and you copy and send them yourself.",),
    status=403,
)
REFUSED = Page(
    "Slack said no",
    ("Slack didn't accept the installation. Nothing was kept. Start again; if it happens twice, ask whoever runs me.",),
    (AGAIN, INSTALL_PATH),
    status=400,
)
STORE_DOWN = Page(
    "I can't remember anything right now",
    ("My store can't be reached, so nothing was kept. Please try again in a few minutes.",),
    (AGAIN, INSTALL_PATH),
    status=503,
)
_FAILURES = {
    "access_denied": DENIED,
    "invalid_browser": STATE_EXPIRED,
    "invalid_state": STATE_EXPIRED,
    "invalid_code": REFUSED,
    "missing_code": REFUSED,
    "storage_error": STORE_DOWN,
}


def installed(name: str) -> Page:
    return Page(
        f"Angel is in {name}",
        ("Everybody there can now type /angel and a draft, and only they see what I say.",),
        ("Open Slack", "slack://open"),
    )
