"""The app, as its manifest describes it: https://docs.slack.dev/reference/app-manifest"""

from collections.abc import Mapping
from typing import Any

from bot.local_slack.events import JSON

APP_ID = "A0LOCALAPP"


class App:
    """Without a manifest every command, shortcut and scope is the app's, and so are its Home tab and all events."""

    def __init__(self, manifest: Mapping[str, Any] | None) -> None:
        self._manifest = manifest
        features = self._part("features")
        self.name: str = self._part("display_information").get("name", "An app")
        self.bot_name: str = features.get("bot_user", {}).get("display_name", "app").lower()
        self.commands: list[JSON] = list(features.get("slash_commands", []))
        self.shortcuts: list[JSON] = list(features.get("shortcuts", []))
        self.has_home: bool = manifest is None or bool(features.get("app_home", {}).get("home_tab_enabled"))
        scopes = self._part("oauth_config").get("scopes", {})
        self.bot_scopes: set[str] = set(scopes.get("bot", () if manifest else ("commands", "chat:write")))
        self.user_scopes: set[str] = set(scopes.get("user", () if manifest else ("chat:write",)))
        self.redirect_urls: list[str] = list(self._part("oauth_config").get("redirect_urls", []))
        settings = self._part("settings")
        self._events = set(settings.get("event_subscriptions", {}).get("bot_events", []))
        self.rotates_tokens = bool(settings.get("token_rotation_enabled"))
        self.org_wide = bool(settings.get("org_deploy_enabled"))

    def command(self, name: str) -> JSON | None:
        """As the manifest has it; None where the app has none of that name."""
        if self._manifest is None:
            return {"command": name, "should_escape": True}
        return next((each for each in self.commands if each["command"] == name), None)

    def has_shortcut(self, callback_id: str, kind: str) -> bool:
        """`kind` is global or message."""
        named = ((each["callback_id"], each["type"]) for each in self.shortcuts)
        return self._manifest is None or (callback_id, kind) in named

    def hears_of(self, event: str) -> bool:
        return self._manifest is None or event in self._events

    def _part(self, name: str) -> Mapping[str, Any]:
        return (self._manifest or {}).get(name) or {}
