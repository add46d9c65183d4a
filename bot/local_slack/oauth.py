"""The authorize page's side of OAuth v2: https://docs.slack.dev/authentication/installing-with-oauth

A real app is sent back over https alone; this one may be on this machine's loopback over http, too.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from bot.local_slack.app import APP_ID, App
from bot.local_slack.clock import Clock
from bot.local_slack.errors import NotOffered, Refused
from bot.local_slack.installations import Installations, Token, as_oauth_answer
from bot.local_slack.workspaces import ENTERPRISE, Workspaces

CODE_SECONDS = 10 * 60
"""How long the app has to exchange a code, once."""


@dataclass(frozen=True)
class Request:
    """What an app asks a person for."""

    scopes: tuple[str, ...]
    user_scopes: tuple[str, ...]
    redirect_uri: str
    given_redirect_uri: str
    """As it stood in the request; nothing where the app left it out."""
    state: str
    team: str | None


@dataclass
class _Code:
    request: Request
    user: str
    org_wide: bool
    issued: float


class OAuth:
    """`client_id` and `client_secret` are the app's."""

    def __init__(self, app: App, workspaces: Workspaces, installations: Installations, clock: Clock) -> None:
        self._app = app
        self._workspaces = workspaces
        self._installations = installations
        self._clock = clock
        self.client_id = f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**12)}"
        self.client_secret = secrets.token_hex(16)
        self.redirect_urls = list(app.redirect_urls)
        self._codes: dict[str, _Code] = {}

    def request(self, query: Mapping[str, str]) -> Request:
        """What the address of the authorize page asks for. Raises NotOffered with what the page says instead."""
        if query.get("client_id") != self.client_id:
            raise NotOffered("invalid_client_id: no such app")
        scopes, user_scopes = (_listed(query.get(name, "")) for name in ("scope", "user_scope"))
        if not scopes and not user_scopes:
            raise NotOffered("no_scopes: nothing is asked for")
        if unknown := sorted({*scopes} - self._app.bot_scopes | {*user_scopes} - self._app.user_scopes):
            raise NotOffered(f"invalid_scope: the app does not declare {', '.join(unknown)}")
        given = query.get("redirect_uri", "")
        if not self.redirect_urls:
            raise NotOffered("bad_redirect_uri: the app declares no redirect URL")
        if given and not any(_within(given, declared) for declared in self.redirect_urls):
            raise NotOffered("bad_redirect_uri: redirect_uri did not match any configured URIs")
        team = query.get("team") or None
        if team is not None and team not in self._workspaces.teams:
            raise NotOffered("invalid_team_for_non_distributed_app: no such workspace")
        return Request(scopes, user_scopes, given or self.redirect_urls[0], given, query.get("state", ""), team)

    def allow(self, request: Request, user: str, *, org_wide: bool = False) -> str:
        """The address at the app to which Slack sends the person on. Raises NotOffered."""
        if org_wide and not self._app.org_wide:
            raise NotOffered("the app is not ready for a whole organization")
        team = self._workspaces.users[user].team
        if request.team not in (None, team):
            raise NotOffered("the app asks for another workspace")
        code = f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
        self._codes[code] = _Code(request, user, org_wide, self._clock.now())
        return _back(request, code=code)

    def deny(self, request: Request) -> str:
        return _back(request, error="access_denied")

    def access(self, args: Mapping[str, object]) -> dict[str, object]:
        """`oauth.v2.access`: a code or a refresh token for tokens. Raises Refused."""
        if args.get("client_id") != self.client_id:
            raise Refused("invalid_client_id")
        if args.get("client_secret") != self.client_secret:
            raise Refused("bad_client_secret")
        match args.get("grant_type") or "authorization_code":
            case "refresh_token":
                token = self._installations.refreshed(args.get("refresh_token"))
                return self._answer(token, as_oauth_answer(token), {"id": token.user} if not token.is_bot else {})
            case "authorization_code":
                return self._exchange(args)
        raise Refused("invalid_grant_type")

    def _exchange(self, args: Mapping[str, object]) -> dict[str, object]:
        # Gone whatever comes of it: a code that was tried once is never good again.
        code = self._codes.pop(str(args.get("code")), None)
        if code is None or self._clock.now() - code.issued > CODE_SECONDS:
            raise Refused("invalid_code")
        if (args.get("redirect_uri") or "") != code.request.given_redirect_uri:
            raise Refused("bad_redirect_uri")
        request = code.request
        of = self._installations.hold(code.user, request.scopes, request.user_scopes, org_wide=code.org_wide)
        mine = of.people.get(code.user) if request.user_scopes else None
        person = {"id": code.user} | (as_oauth_answer(mine) if mine else {})
        bot = of.bot if request.scopes else None
        token = bot or mine
        assert token is not None
        return self._answer(token, as_oauth_answer(bot) if bot else {}, person)

    def _answer(self, token: Token, tokens: dict[str, object], person: dict[str, object]) -> dict[str, object]:
        team = self._workspaces.teams[token.team]
        return {
            "app_id": APP_ID,
            **tokens,
            **({"bot_user_id": token.user} if token.is_bot else {}),
            "authed_user": person,
            "team": None if token.org_wide else {"id": team.id, "name": team.name},
            "enterprise": dict(ENTERPRISE) if token.org_wide else None,
            "is_enterprise_install": token.org_wide,
        }


def _listed(scopes: str) -> tuple[str, ...]:
    return tuple(scope for scope in scopes.replace(" ", ",").split(",") if scope)


def _within(url: str, declared: str) -> bool:
    """Slack takes the declared address and whatever is below its path."""
    one, other = urlsplit(url), urlsplit(declared)
    below = one.path == other.path or one.path.startswith(other.path.rstrip("/") + "/")
    return (one.scheme, one.netloc) == (other.scheme, other.netloc) and below and ".." not in one.path


def _back(request: Request, **answer: str) -> str:
    query = urlencode(answer | {"state": request.state})
    return f"{request.redirect_uri}{'&' if '?' in request.redirect_uri else '?'}{query}"
