"""Where blocks stand: in messages, modals and the Home tab, with what Slack's reference lets stand there.

Blocks and elements that are real but that no app in front of this Slack uses (images, date pickers, tables, ...) are
refused like unknown ones, so that nothing passes unchecked.
"""

from collections.abc import Iterator
from typing import Any

from bot.local_slack.checks import Check, array, boolean, data, json_bytes, object_of, typed
from bot.local_slack.elements import ACCESSORIES, ACTIONS, ID, INPUTS, any_text, conversations_select, plain, text
from bot.local_slack.rich_text import PARTS

MAX_TEXT = 40_000
"""Characters of a message's top-level text, which is cut there: https://docs.slack.dev/reference/methods/chat.postMessage"""
MAX_BLOCKS_SIZE = 13_200
"""Bytes of all blocks of a message as JSON. Not in the documentation: people met `msg_blocks_too_long` near 13,200
characters (slackapi/bolt-js#2509), and some with fewer of text (slackapi/bolt-js#2867)."""
MAX_VIEW_SIZE = 250_000
"""Bytes of a view as JSON: https://docs.slack.dev/reference/methods/views.open"""


def message_problems(blocks: list[Any]) -> list[str]:
    return [*array(typed(_BLOCKS), most=50)(blocks, "/blocks"), *_twice(blocks, "/blocks")]


def message_too_long(blocks: list[Any]) -> bool:
    return bool(blocks) and json_bytes(blocks) > MAX_BLOCKS_SIZE


def view_problems(view: object, kind: str = "modal") -> list[str]:
    """`kind` is modal or home: each has methods of its own."""
    problems = list(typed({kind: _VIEWS[kind]})(view, "/view"))
    if isinstance(view, dict) and isinstance(view.get("blocks"), list):
        problems += _twice(view["blocks"], "/view/blocks")
        kinds = {block.get("type") for block in view["blocks"] if isinstance(block, dict)}
        if kind == "modal" and "input" in kinds and "submit" not in view:
            problems.append("missing required field: submit [json-pointer:/view]")
    return problems


def view_too_large(view: object) -> bool:
    return json_bytes(view) > MAX_VIEW_SIZE


def _twice(blocks: Any, at: str) -> Iterator[str]:
    """Ids that must be the only ones: of blocks in a message or view, of elements in a block."""
    seen: set[str] = set()
    for number, block in enumerate(blocks if isinstance(blocks, list) else []):
        if not isinstance(block, dict):
            continue
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                yield f"`block_id` already exists: {block_id} [json-pointer:{at}/{number}/block_id]"
            seen.add(block_id)
        in_block: set[str] = set()
        inside = block.get("elements")
        for place, element in enumerate(inside if isinstance(inside, list) else []):
            action_id = element.get("action_id") if isinstance(element, dict) else None
            if isinstance(action_id, str):
                if action_id in in_block:
                    yield f"`action_id` already exists: {action_id} [json-pointer:{at}/{number}/elements/{place}]"
                in_block.add(action_id)


def _block(
    required: dict[str, Check], optional: dict[str, Check] | None = None, *, either: tuple[str, ...] = ()
) -> Check:
    return object_of(required, {"block_id": ID, **(optional or {})}, either=either)


_BLOCKS: dict[str, Check] = {
    "section": _block(
        {},
        {
            "text": any_text(3000),
            "fields": array(any_text(2000), most=10, least=1),
            "accessory": typed(ACCESSORIES),
            "expand": boolean,
        },
        either=("text", "fields"),
    ),
    "header": _block({"text": plain(150)}),
    "divider": _block({}),
    "context": _block(
        {"elements": array(typed({"plain_text": plain(3000), "mrkdwn": text(3000, "mrkdwn")}), most=10, least=1)}
    ),
    "actions": _block({"elements": array(typed(ACTIONS), most=25, least=1)}),
    "rich_text": _block({"elements": array(typed(PARTS), most=1000)}),
}


def _input(**elements: Check) -> Check:
    return _block(
        {"label": plain(2000), "element": typed(INPUTS | elements)},
        {"dispatch_action": boolean, "hint": plain(2000), "optional": boolean},
    )


_VIEW = {"private_metadata": data(3000, 0), "callback_id": data(255, 0), "external_id": data(255, 0)}
_VIEWS = {
    "modal": object_of(
        {
            "title": plain(24),
            "blocks": array(
                # Only here can an answer be sent to the chosen conversation:
                # https://docs.slack.dev/reference/block-kit/block-elements/multi-select-menu-element
                typed(
                    _BLOCKS | {"input": _input(conversations_select=conversations_select(response_url_enabled=boolean))}
                ),
                most=100,
            ),
        },
        {
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
            **_VIEW,
        },
    ),
    "home": object_of({"blocks": array(typed(_BLOCKS | {"input": _input()}), most=100)}, _VIEW),
}
