"""Where the app is installed, and the tokens that this gave it.

https://docs.slack.dev/authentication/tokens and https://docs.slack.dev/authentication/using-token-rotation
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.local_slack.app import App
from bot.local_slack.clock import Clock
from bot.local_slack.errors import Refused
from bot.local_slack.workspaces import ENTERPRISE, Workspaces

TOKEN_SECONDS = 12 * 60 * 60
"""How long a rotated token lives."""


@dataclass(eq=False)
class Token:
    """`user` is whom it acts as: the bot user of `team` (with `org_wide` that of any team), or a person."""

    value: str
    team: str
    user: str
    scopes: set[str]
    is_bot: bool
    org_wide: bool = False
    expires: float | None = None
    refresh: str | None = None
    revoked: bool = False


@dataclass
class Installation:
    bot: Token | None = None
    people: dict[str, Token] = field(default_factory=dict)
    """By user, of those who gave the app a token of theirs."""


class Installations:
    """`hold` gives the app its tokens; `token` tells what one may do."""

    def __init__(self, app: App, workspaces: Workspaces, clock: Clock) -> None:
        self._app = app
        self._workspaces = workspaces
        self._clock = clock
        self._of: dict[str, Installation] = {}
        """By team; of an organization-wide one by the enterprise's id."""
        self._tokens: dict[str, Token] = {}
        """Of all times: Slack says of an old one that it expired or was revoked."""

    def hold(
        self, user: str, scopes: Iterable[str], user_scopes: Iterable[str], *, org_wide: bool = False
    ) -> Installation:
        """The installation of the person's workspace with these scopes added to what it has: scopes add up."""
        team = self._workspaces.users[user].team
        of = self._of.setdefault(ENTERPRISE["id"] if org_wide else team, Installation())
        if scopes := set(scopes):
            bot = self._workspaces.bot(team)
            of.bot = self._issue(of.bot, Token("", team, bot, scopes, is_bot=True, org_wide=org_wide))
        if user_scopes := set(user_scopes):
            mine = Token("", team, user, user_scopes, is_bot=False, org_wide=org_wide)
            of.people[user] = self._issue(of.people.get(user), mine)
        return of

    def token(self, value: object) -> Token:
        """Raises Refused with what Slack says of a token that is none, or none any more."""
        if not value:
            raise Refused("not_authed")
        token = self._tokens.get(str(value))
        if token is None:
            raise Refused("invalid_auth")
        if token.revoked:
            # Which of the two: https://docs.slack.dev/reference/methods/auth.test, errors.
            raise Refused("account_inactive" if token.is_bot else "token_revoked")
        if token.expires is not None and self._clock.now() >= token.expires:
            raise Refused("token_expired")
        return token

    def refreshed(self, refresh: object) -> Token:
        """The token that follows the one of this refresh token, which is of no further use. Raises Refused."""
        old = next((each for each in self._tokens.values() if each.refresh == refresh and not each.revoked), None)
        if not refresh or old is None:
            raise Refused("invalid_refresh_token")
        of = self._installation(old)
        new = self._new(Token("", old.team, old.user, old.scopes, old.is_bot, old.org_wide))
        # The old one lives until it expires.
        old.refresh = None
        if old.is_bot:
            of.bot = new
        else:
            of.people[old.user] = new
        return new

    def revoke(self, token: Token) -> bool:
        """Whether the app is uninstalled with that: it is once its last token is gone."""
        of = self._installation(token)
        for each in self._tokens.values():
            if (each.team, each.user, each.org_wide) == (token.team, token.user, token.org_wide):
                each.revoked = True
        if token.is_bot:
            of.bot = None
        else:
            of.people.pop(token.user, None)
        if of.bot is None and not of.people:
            del self._of[self._key(token)]
            return True
        return False

    def tokens(self, team: str) -> list[Token]:
        """Those that work there: the bot's first, then people's."""
        return [
            token
            for of in self._applying(team)
            for token in ([of.bot] if of.bot else []) + [each for each in of.people.values() if each.team == team]
        ]

    def installed(self, team: str) -> bool:
        return any(of.bot for of in self._applying(team))

    def org_wide(self, team: str) -> bool:
        """Whether what the app has there is the organization's."""
        return team not in self._of and ENTERPRISE["id"] in self._of

    def _applying(self, team: str) -> Iterator[Installation]:
        for key in (team, ENTERPRISE["id"]):
            if key in self._of:
                yield self._of[key]

    def _installation(self, token: Token) -> Installation:
        return self._of[self._key(token)]

    @staticmethod
    def _key(token: Token) -> str:
        return ENTERPRISE["id"] if token.org_wide else token.team

    def _issue(self, held: Token | None, wanted: Token) -> Token:
        if held is None or held.expires is not None:
            wanted.scopes |= held.scopes if held else set()
            return self._new(wanted)
        held.scopes |= wanted.scopes
        return held

    def _new(self, token: Token) -> Token:
        kind = "xoxb" if token.is_bot else "xoxp"
        token.value = f"{kind}-local-{secrets.token_hex(16)}"
        if self._app.rotates_tokens:
            token.value = f"xoxe.{token.value}"
            token.refresh = f"xoxe-1-local-{secrets.token_hex(16)}"
            token.expires = self._clock.now() + TOKEN_SECONDS
        self._tokens[token.value] = token
        return token


def as_oauth_answer(token: Token) -> dict[str, object]:
    """How `oauth.v2.access` gives a token away."""
    rotation = {"refresh_token": token.refresh, "expires_in": TOKEN_SECONDS} if token.refresh else {}
    return {
        "access_token": token.value,
        "token_type": "bot" if token.is_bot else "user",
        "scope": ",".join(sorted(token.scopes)),
        **rotation,
    }
