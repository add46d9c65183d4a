"""The app's manifest, the variant of it for HTTP, and an address at which Slack has it filled in."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

from bot.errors import SettingsError
from bot.store.terms import SEND_SCOPE

_BESIDE = Path(__file__).with_name("manifest.yml")
MANIFEST = _BESIDE if _BESIDE.exists() else Path(__file__).parents[2] / "manifest.yml"
"""At the top of the repository; a wheel carries it beside this file."""
EVENTS_PATH = "/slack/events"
INSTALL_PATH = "/slack/install"
CONNECT_PATH = "/slack/connect"
REDIRECT_PATH = "/slack/oauth_redirect"
EVENTS = ("app_home_opened", "app_uninstalled", "tokens_revoked")
"""What Slack tells an app that any workspace can install. None of them needs a scope."""
REPLY_SHORTCUT = {
    "name": "Reply with Angel",
    "type": "message",
    "callback_id": "reply_with_angel",
    "description": "Write an answer, have it checked and send it",
}
NEW_APP = "https://api.slack.com/apps?new_app=1"
"""Where a person makes an app, and picks **From a manifest**."""


def manifest() -> dict[str, Any]:
    """`manifest.yml`, parsed."""
    parsed: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return parsed


def bot_scopes() -> set[str]:
    return set(manifest()["oauth_config"]["scopes"]["bot"])


def http_manifest(url: str, *, send: bool = False, socket_mode: bool = False) -> str:
    """The manifest as YAML for an app that any workspace can install at `url`, `https://angel.example.org`.

    Slack sends everything there, or with `socket_mode` over Socket Mode, and then only the installation is at `url`.
    With `send`, people may let Angel send as them. Raises SettingsError where Slack would not take the address.
    """
    try:
        parts = urlsplit(url.strip())
        hostname, _ = parts.hostname or "", parts.port
    except ValueError:
        hostname = ""
    if (
        not re.fullmatch(r"[\w.-]+", hostname)
        or parts.scheme != "https"
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise SettingsError("Give the address that Slack can reach Angel at, such as https://angel.example.org.")
    base = f"https://{parts.netloc}{parts.path.removesuffix('/').removesuffix(EVENTS_PATH)}"
    variant = manifest()
    variant["features"]["app_home"] = {
        "home_tab_enabled": True,
        "messages_tab_enabled": False,
        "messages_tab_read_only_enabled": True,
    }
    variant["oauth_config"]["redirect_urls"] = [f"{base}{REDIRECT_PATH}"]
    variant["settings"]["event_subscriptions"] = {"bot_events": list(EVENTS)}
    variant["settings"]["org_deploy_enabled"] = True
    if send:
        variant["features"]["shortcuts"].append(dict(REPLY_SHORTCUT))
        variant["oauth_config"]["scopes"]["user"] = [SEND_SCOPE]
    if not socket_mode:
        for command in variant["features"]["slash_commands"]:
            command["url"] = f"{base}{EVENTS_PATH}"
        variant["settings"]["interactivity"]["request_url"] = f"{base}{EVENTS_PATH}"
        variant["settings"]["event_subscriptions"]["request_url"] = f"{base}{EVENTS_PATH}"
        variant["settings"]["socket_mode_enabled"] = False
    return yaml.safe_dump(variant, sort_keys=False, allow_unicode=True, width=120)


def new_app_link(text: str) -> str:
    """An address at which Slack's form for a new app has this manifest, given as YAML, filled in."""
    return f"{NEW_APP}&manifest_json={quote(json.dumps(yaml.safe_load(text), separators=(',', ':')), safe='')}"
