"""The methods about tokens themselves: whose they are, and their end."""

from collections.abc import Callable

from bot.local_slack.errors import Refused
from bot.local_slack.events import JSON
from bot.local_slack.installations import Installations, Token
from bot.local_slack.oauth import OAuth
from bot.local_slack.workspaces import ENTERPRISE, Workspaces

Tell = Callable[[str, JSON, bool], None]
"""Tells the app of an event in a team; the last says whether its installation is the organization's."""


class AuthMethods:
    """Each answers a call, or raises Refused."""

    def __init__(self, workspaces: Workspaces, installations: Installations, oauth: OAuth, tell: Tell) -> None:
        self._workspaces = workspaces
        self._installations = installations
        self._oauth = oauth
        self._tell = tell

    def test(self, token: Token, args: JSON) -> JSON:
        team, user = self._workspaces.teams[token.team], self._workspaces.users[token.user]
        return {
            "url": f"https://{team.domain}.slack.com/",
            "team": team.name,
            "user": user.name,
            "team_id": team.id,
            "user_id": user.id,
            **({"bot_id": self._workspaces.bot_id(team.id)} if token.is_bot else {}),
            **({"enterprise_id": ENTERPRISE["id"]} if token.org_wide else {}),
            "is_enterprise_install": token.org_wide,
        }

    def revoke(self, token: Token, args: JSON) -> JSON:
        if str(args.get("test", "")).lower() in ("1", "true"):
            return {"revoked": False}
        self.end([token])
        return {"revoked": True}

    def uninstall(self, token: Token, args: JSON) -> JSON:
        """`apps.uninstall`."""
        if args.get("client_id") != self._oauth.client_id:
            raise Refused("invalid_client_id")
        if args.get("client_secret") != self._oauth.client_secret:
            raise Refused("bad_client_secret")
        self.end(self._installations.tokens(token.team))
        return {}

    def end(self, tokens: list[Token]) -> None:
        """Revokes them, and tells the app: https://docs.slack.dev/reference/events/tokens_revoked"""
        if not tokens:
            return
        uninstalled = [self._installations.revoke(token) for token in tokens]
        team, org_wide = tokens[0].team, tokens[0].org_wide
        whose = {
            "oauth": [token.user for token in tokens if not token.is_bot],
            "bot": [token.user for token in tokens if token.is_bot],
        }
        # Slack promises no order of the two.
        if any(uninstalled):
            self._tell(team, {"type": "app_uninstalled"}, org_wide)
        self._tell(team, {"type": "tokens_revoked", "tokens": whose}, org_wide)
