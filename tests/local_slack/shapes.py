"""Block Kit as tests need it, and a manifest."""

from typing import Any

JSON = dict[str, Any]

MANIFEST: JSON = {
    "display_information": {"name": "An app"},
    "features": {
        "app_home": {"home_tab_enabled": True},
        "bot_user": {"display_name": "App"},
        "slash_commands": [{"command": "/angel", "should_escape": True}, {"command": "/raw", "should_escape": False}],
        "shortcuts": [
            {"name": "Check", "type": "message", "callback_id": "check_message"},
            {"name": "Write", "type": "global", "callback_id": "compose"},
        ],
    },
    "oauth_config": {
        "scopes": {"bot": ["commands", "chat:write"], "user": ["chat:write"]},
        "redirect_urls": ["http://127.0.0.1/slack/oauth_redirect"],
    },
    "settings": {"event_subscriptions": {"bot_events": ["app_home_opened", "app_uninstalled", "tokens_revoked"]}},
}


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> JSON:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "words", **more: Any) -> JSON:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action_id: str = "again", **more: Any) -> JSON:
    return {"type": "button", "action_id": action_id, "text": plain("Again"), **more}


def actions(*elements: JSON, **more: Any) -> JSON:
    return {"type": "actions", "elements": list(elements), **more}


def option(value: str, **more: Any) -> JSON:
    return {"text": plain(value), "value": value, **more}


def menu(kind: str, *values: str, action_id: str = "menu", **more: Any) -> JSON:
    return {"type": kind, "action_id": action_id, "options": [option(value) for value in values], **more}


def text_input(action_id: str = "draft", **more: Any) -> JSON:
    return {"type": "plain_text_input", "action_id": action_id, "multiline": True, **more}


def ask(element: JSON, block_id: str = "draft", **more: Any) -> JSON:
    return {"type": "input", "block_id": block_id, "label": plain("Label"), "element": element, **more}


def modal(*blocks: JSON, **more: Any) -> JSON:
    return {
        "type": "modal",
        "callback_id": "composer",
        "title": plain("Title"),
        "submit": plain("Check"),
        "blocks": list(blocks) or [ask(text_input())],
        **more,
    }


def home(*blocks: JSON, **more: Any) -> JSON:
    return {"type": "home", "blocks": list(blocks), **more}
