"""What stands in the inputs of blocks: before anybody touched them, and after a person typed or picked something."""

import secrets
from collections.abc import Collection
from typing import Any

from bot.local_slack.checks import utf16_units
from bot.local_slack.errors import NotOffered
from bot.local_slack.events import JSON

State = dict[str, dict[str, JSON]]
"""What stands where, in the shape of Slack's `state.values`: block id -> action id -> value."""


def with_ids(blocks: list[JSON]) -> list[JSON]:
    """The blocks with the ids that Slack makes up where the app gave none."""
    copies = []
    for block in blocks:
        block = {**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)}
        for place in ("element", "accessory"):
            if place in block:
                block[place] = _with_action_id(block[place])
        if block["type"] == "actions":
            block["elements"] = [_with_action_id(element) for element in block["elements"]]
        copies.append(block)
    return copies


def _with_action_id(element: JSON) -> JSON:
    return {"action_id": secrets.token_urlsafe(4), **element}


def elements(block: JSON) -> list[JSON]:
    """The interactive elements of a block."""
    found = [block[place] for place in ("element", "accessory") if place in block]
    return found + (block["elements"] if block["type"] == "actions" else [])


def options(element: JSON) -> list[JSON]:
    groups = element.get("option_groups", [])
    return list(element.get("options", [])) + [option for group in groups for option in group["options"]]


def initial_state(blocks: list[JSON], channel: str | None = None) -> State:
    """Before anybody touched it; `channel` is where the person was when the view was opened."""
    state: State = {}
    for block in blocks:
        for element in elements(block):
            if (value := _initial(element, channel)) is not None:
                state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def _initial(element: JSON, channel: str | None) -> JSON | None:
    kind = element["type"]
    match kind:
        case "plain_text_input":
            return {"type": kind, "value": element.get("initial_value")}
        case "static_select":
            return {"type": kind, "selected_option": element.get("initial_option")}
        case "conversations_select":
            here = channel if element.get("default_to_current_conversation") else None
            return {"type": kind, "selected_conversation": element.get("initial_conversation", here)}
        case "multi_conversations_select":
            return {"type": kind, "selected_conversations": element.get("initial_conversations", [])}
        case "multi_users_select":
            return {"type": kind, "selected_users": element.get("initial_users", [])}
    return None


def picked(element: JSON, value: Any, channels: Collection[str], users: Collection[str]) -> JSON:
    """The state of an input after a person typed or picked `value` (an option's value, an id, a list of ids).

    Raises NotOffered for what the element does not let them do.
    """
    kind, name = element["type"], element["action_id"]
    match kind:
        case "plain_text_input":
            return {"type": kind, "value": _typed(element, value or "")}
        case "static_select":
            offered = {option["value"]: option for option in options(element)}
            if value is not None and value not in offered:
                raise NotOffered(f"{name} has no such option")
            return {"type": kind, "selected_option": offered.get(value)}
        case "conversations_select":
            if value is not None and value not in channels:
                raise NotOffered(f"{name} has no such conversation")
            return {"type": kind, "selected_conversation": value}
        case "multi_conversations_select" | "multi_users_select":
            of_users = kind == "multi_users_select"
            if not set(value) <= set(users if of_users else channels) or len(value) > element.get(
                "max_selected_items", 100
            ):
                raise NotOffered(f"{name} has no such choice, or takes fewer")
            return {"type": kind, "selected_users" if of_users else "selected_conversations": list(value)}
    raise NotOffered(f"{name} takes no value")


def _typed(element: JSON, text: str) -> str | None:
    if text and not element.get("min_length", 0) <= utf16_units(text) <= element.get("max_length", 3000):
        raise NotOffered(f"the input {element['action_id']} takes texts of another length")
    if "\n" in text and not element.get("multiline"):
        raise NotOffered(f"the input {element['action_id']} has one line")
    return text or None
