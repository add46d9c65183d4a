"""The app's manifest, the variant of it for HTTP, and an address at which Slack has it filled in."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

from bot.errors import SettingsError

_BESIDE = Path(__file__).with_name("manifest.yml")
MANIFEST = _BESIDE if _BESIDE.exists() else Path(__file__).parents[2] / "manifest.yml"
"""At the top of the repository; a wheel carries it beside this file."""
EVENTS_PATH = "/slack/events"
NEW_APP = "https://api.slack.com/apps?new_app=1"
"""Where a person makes an app, and picks **From a manifest**."""


def manifest() -> dict[str, Any]:
    """`manifest.yml`, parsed."""
    parsed: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return parsed


def bot_scopes() -> set[str]:
    return set(manifest()["oauth_config"]["scopes"]["bot"])


def http_manifest(url: str) -> str:
    """The manifest as YAML, for Slack to send everything to `url` instead of over Socket Mode.

    `url` is the host's, `https://angel.example.org`. Raises SettingsError where Slack would not take it.
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
    request_url = f"https://{parts.netloc}{parts.path.removesuffix('/').removesuffix(EVENTS_PATH)}{EVENTS_PATH}"
    variant = manifest()
    for command in variant["features"]["slash_commands"]:
        command["url"] = request_url
    variant["settings"]["interactivity"]["request_url"] = request_url
    variant["settings"]["socket_mode_enabled"] = False
    return yaml.safe_dump(variant, sort_keys=False, allow_unicode=True, width=120)


def new_app_link(text: str) -> str:
    """An address at which Slack's form for a new app has this manifest, given as YAML, filled in."""
    return f"{NEW_APP}&manifest_json={quote(json.dumps(yaml.safe_load(text), separators=(',', ':')), safe='')}"
