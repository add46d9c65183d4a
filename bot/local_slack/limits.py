"""What Block Kit allows: shapes and sizes of blocks, elements and modals, as Slack's reference has them.

Problems come in Slack's words, each with the JSON pointer of its place. Elements and blocks that are real but that
nobody here uses (date pickers, videos, tables, ...) are refused like unknown ones, so that nothing passes unchecked.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from bot.local_slack.workspace import options

MAX_TEXT = 40_000
MAX_BLOCKS_SIZE = 13_200
"""Characters of all blocks of a message as JSON. Undocumented; Slack answers `msg_blocks_too_long` near it."""
MAX_VIEW_SIZE = 250_000
"""Bytes of a view as JSON."""

Check = Callable[[Any, str], Iterator[str]]
"""Yields the problems of a value that stands at a JSON pointer."""


def message_problems(blocks: list[Any]) -> list[str]:
    return [*_array(_typed(MESSAGE_BLOCKS), 50)(blocks, "/blocks"), *_twice(blocks, "/blocks")]


def message_too_long(blocks: list[Any]) -> bool:
    return bool(blocks) and len(_compact(blocks)) > MAX_BLOCKS_SIZE


def view_problems(view: object) -> list[str]:
    problems = list(_typed({"modal": MODAL})(view, "/view"))
    if isinstance(view, dict) and isinstance(view.get("blocks"), list):
        problems += _twice(view["blocks"], "/view/blocks")
        kinds = {block.get("type") for block in view["blocks"] if isinstance(block, dict)}
        if "input" in kinds and "submit" not in view:
            problems.append("missing required field: submit [json-pointer:/view]")
    return problems


def view_too_large(view: object) -> bool:
    return len(_compact(view).encode()) > MAX_VIEW_SIZE


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Checks


def _string(most: int, least: int = 1) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"must be a string [json-pointer:{at}]"
        elif len(value) < least:
            yield f"must be more than {least - 1} characters [json-pointer:{at}]"
        elif len(value) > most:
            yield f"must be less than {most + 1} characters [json-pointer:{at}]"

    return check


def _integer(least: int, most: int) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if type(value) is not int:
            yield f"must be an integer [json-pointer:{at}]"
        elif not least <= value <= most:
            yield f"must be between {least} and {most} [json-pointer:{at}]"

    return check


def _boolean(value: Any, at: str) -> Iterator[str]:
    if type(value) is not bool:
        yield f"must be a boolean [json-pointer:{at}]"


def _among(*allowed: str) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if value not in allowed:
            yield f"value must be one of {', '.join(allowed)} [json-pointer:{at}]"

    return check


def _array(item: Check, most: int, least: int = 0) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"must be an array [json-pointer:{at}]"
            return
        if len(value) > most:
            yield f"no more than {most} items allowed [json-pointer:{at}]"
        if len(value) < least:
            yield f"no less than {least} items allowed [json-pointer:{at}]"
        for number, each in enumerate(value):
            yield from item(each, f"{at}/{number}")

    return check


def _object(
    required: dict[str, Check], optional: dict[str, Check] | None = None, *, either: tuple[str, ...] = ()
) -> Check:
    """`type` belongs to `_typed`. Of `either`, which are optional by themselves, one must be there."""
    known = required | (optional or {})

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"must be an object [json-pointer:{at}]"
            return
        for name in required:
            if name not in value:
                yield f"missing required field: {name} [json-pointer:{at}]"
        if either and not any(name in value for name in either):
            yield f"must define either {' or '.join(f'`{name}`' for name in either)} [json-pointer:{at}]"
        for name, each in value.items():
            if name in known:
                yield from known[name](each, f"{at}/{name}")
            elif name != "type":
                yield f"invalid additional property: {name} [json-pointer:{at}]"

    return check


def _typed(kinds: dict[str, Check]) -> Check:
    """An object whose `type` says which check it has to pass."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"must be an object [json-pointer:{at}]"
        elif "type" not in value:
            yield f"missing required field: type [json-pointer:{at}]"
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            yield f"unsupported type: {value['type']} [json-pointer:{at}/type]"
        else:
            yield from kinds[value["type"]](value, at)

    return check


def _text(most: int, *kinds: str) -> Check:
    content = {"text": _string(most)}
    shapes = {
        "plain_text": _object(content, {"emoji": _boolean}),
        "mrkdwn": _object(content, {"verbatim": _boolean}),
    }
    return _typed({kind: shapes[kind] for kind in kinds})


def _plain(most: int) -> Check:
    return _text(most, "plain_text")


def _any_text(most: int) -> Check:
    return _text(most, "plain_text", "mrkdwn")


def _and(*checks: Check) -> Check:
    """Each in turn, as long as there was no problem: later ones may rely on the shape."""

    def check(value: Any, at: str) -> Iterator[str]:
        for each in checks:
            problems = list(each(value, at))
            yield from problems
            if problems:
                return

    return check


def _initial_among_options(element: Any, at: str) -> Iterator[str]:
    offered = options(element)
    for name in ("initial_option", "initial_options"):
        chosen = element.get(name, [])
        if any(each not in offered for each in (chosen if isinstance(chosen, list) else [chosen])):
            yield f"must match one of the options [json-pointer:{at}/{name}]"


def _lengths_fit(element: Any, at: str) -> Iterator[str]:
    if element.get("min_length", 0) > element.get("max_length", 3000):
        yield f"must not be more than `max_length` [json-pointer:{at}/min_length]"
    if len(element.get("initial_value", "")) > element.get("max_length", 3000):
        yield f"must be less than {element['max_length'] + 1} characters [json-pointer:{at}/initial_value]"


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


# Composition objects

ID = _string(255)
CONFIRM = _object(
    {"title": _plain(100), "text": _any_text(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": _among("primary", "danger")},
)
OPTION = _object({"text": _plain(75), "value": _string(150)}, {"description": _plain(75)})
OPTION_WITH_URL = _object(
    {"text": _plain(75), "value": _string(150)}, {"description": _plain(75), "url": _string(3000)}
)
OPTION_WITH_MARKUP = _object({"text": _any_text(75), "value": _string(150)}, {"description": _any_text(75)})
IMAGE = {"image_url": _string(3000), "slack_file": _object({}, {"id": _string(255), "url": _string(3000)})}

# Elements

BUTTON = _object(
    {"text": _plain(75)},
    {
        "action_id": ID,
        "url": _string(3000),
        "value": _string(2000),
        "style": _among("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": _string(75),
    },
)
OVERFLOW = _object({"options": _array(OPTION_WITH_URL, 5, 2)}, {"action_id": ID, "confirm": CONFIRM})
STATIC_SELECT = _and(
    _object(
        {},
        {
            "options": _array(OPTION, 100, 1),
            "option_groups": _array(_object({"label": _plain(75), "options": _array(OPTION, 100, 1)}), 100, 1),
            "placeholder": _plain(150),
            "action_id": ID,
            "initial_option": OPTION,
            "confirm": CONFIRM,
            "focus_on_load": _boolean,
        },
        either=("options", "option_groups"),
    ),
    _initial_among_options,
)


def _choices(initial: dict[str, Check]) -> Check:
    return _and(
        _object(
            {"options": _array(OPTION_WITH_MARKUP, 10, 1)},
            {"action_id": ID, "confirm": CONFIRM, "focus_on_load": _boolean, **initial},
        ),
        _initial_among_options,
    )


PLAIN_TEXT_INPUT = _and(
    _object(
        {},
        {
            "action_id": ID,
            "initial_value": _string(3000, 0),
            "multiline": _boolean,
            "min_length": _integer(0, 3000),
            "max_length": _integer(1, 3000),
            "dispatch_action_config": _object(
                {"trigger_actions_on": _array(_among("on_enter_pressed", "on_character_entered"), 2, 1)}
            ),
            "focus_on_load": _boolean,
            "placeholder": _plain(150),
        },
    ),
    _lengths_fit,
)


def _conversations_select(**more: Check) -> Check:
    return _object(
        {},
        {
            "action_id": ID,
            "placeholder": _plain(150),
            "initial_conversation": _string(255),
            "default_to_current_conversation": _boolean,
            "confirm": CONFIRM,
            "focus_on_load": _boolean,
            "filter": _object(
                {},
                {
                    "include": _array(_among("im", "mpim", "private", "public"), 4, 1),
                    "exclude_external_shared_channels": _boolean,
                    "exclude_bot_users": _boolean,
                },
            ),
            **more,
        },
    )


_FEEDBACK = _object({"text": _plain(75), "value": _string(2000)}, {"accessibility_label": _string(75)})
FEEDBACK_BUTTONS = _object({"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {"action_id": ID})
ICON_BUTTON = _object(
    {"icon": _among("trash"), "text": _plain(75)},
    {
        "action_id": ID,
        "value": _string(2000),
        "confirm": CONFIRM,
        "accessibility_label": _string(75),
        "visible_to_user_ids": _array(_string(255), 100),
    },
)
IMAGE_ELEMENT = _object({"alt_text": _string(2000)}, IMAGE, either=("image_url", "slack_file"))
SELECTS = {
    "static_select": STATIC_SELECT,
    "radio_buttons": _choices({"initial_option": OPTION_WITH_MARKUP}),
    "checkboxes": _choices({"initial_options": _array(OPTION_WITH_MARKUP, 10, 1)}),
}
PRESSABLE = {
    "button": BUTTON,
    "overflow": OVERFLOW,
    "conversations_select": _conversations_select(),
    **SELECTS,
}

# Rich text

_STYLE = _object(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), _boolean
    ),
)
_RICH = {
    "text": _object({"text": _string(12_000)}, {"style": _STYLE}),
    "link": _object({"url": _string(3000)}, {"text": _string(12_000), "style": _STYLE, "unsafe": _boolean}),
    "user": _object({"user_id": _string(255)}, {"style": _STYLE}),
    "channel": _object({"channel_id": _string(255)}, {"style": _STYLE}),
    "usergroup": _object({"usergroup_id": _string(255)}, {"style": _STYLE}),
    "broadcast": _object({"range": _among("here", "channel", "everyone")}, {"style": _STYLE}),
    "emoji": _object({"name": _string(255)}, {"unicode": _string(255), "skin_tone": _integer(2, 6), "style": _STYLE}),
}
_BORDER = _integer(0, 1)
_INLINE = _array(_typed(_RICH), 1000)
RICH_TEXT_SECTION = _object({"elements": _INLINE})
RICH_TEXT = {
    "rich_text_section": RICH_TEXT_SECTION,
    "rich_text_quote": _object({"elements": _INLINE}, {"border": _BORDER}),
    "rich_text_preformatted": _object(
        {"elements": _array(_typed({kind: _RICH[kind] for kind in ("text", "link")}), 1000)},
        {"border": _BORDER, "language": _string(255)},
    ),
    "rich_text_list": _object(
        {
            "style": _among("bullet", "ordered"),
            "elements": _array(_typed({"rich_text_section": RICH_TEXT_SECTION}), 1000),
        },
        {"indent": _integer(0, 8), "offset": _integer(0, 10**6), "border": _BORDER},
    ),
}

# Blocks


def _block(
    required: dict[str, Check], optional: dict[str, Check] | None = None, *, either: tuple[str, ...] = ()
) -> Check:
    return _object(required, {"block_id": ID, **(optional or {})}, either=either)


def _input(**elements: Check) -> Check:
    return _block(
        {"label": _plain(2000), "element": _typed({"plain_text_input": PLAIN_TEXT_INPUT, **SELECTS, **elements})},
        {"dispatch_action": _boolean, "hint": _plain(2000), "optional": _boolean},
    )


BLOCKS: dict[str, Check] = {
    "section": _block(
        {},
        {
            "text": _any_text(3000),
            "fields": _array(_any_text(2000), 10, 1),
            "accessory": _typed({**PRESSABLE, "image": IMAGE_ELEMENT}),
            "expand": _boolean,
        },
        either=("text", "fields"),
    ),
    "header": _block({"text": _plain(150)}),
    "divider": _block({}),
    "context": _block(
        {
            "elements": _array(
                _typed(
                    {
                        "image": IMAGE_ELEMENT,
                        "plain_text": _plain(3000),
                        "mrkdwn": _text(3000, "mrkdwn"),
                    }
                ),
                10,
                1,
            )
        }
    ),
    "actions": _block({"elements": _array(_typed(PRESSABLE), 25, 1)}),
    "image": _block({"alt_text": _string(2000)}, {"title": _plain(2000), **IMAGE}, either=("image_url", "slack_file")),
    "rich_text": _block({"elements": _array(_typed(RICH_TEXT), 1000)}),
}
MESSAGE_BLOCKS = BLOCKS | {
    "input": _input(conversations_select=_conversations_select()),
    "context_actions": _block(
        {"elements": _array(_typed({"feedback_buttons": FEEDBACK_BUTTONS, "icon_button": ICON_BUTTON}), 5, 1)}
    ),
    "markdown": _block({"text": _string(12_000)}),
}
MODAL_BLOCKS = BLOCKS | {
    "input": _input(conversations_select=_conversations_select(response_url_enabled=_boolean)),
}
MODAL = _object(
    {"title": _plain(24), "blocks": _array(_typed(MODAL_BLOCKS), 100)},
    {
        "submit": _plain(24),
        "close": _plain(24),
        "private_metadata": _string(3000, 0),
        "callback_id": _string(255, 0),
        "external_id": _string(255, 0),
        "clear_on_close": _boolean,
        "notify_on_close": _boolean,
        "submit_disabled": _boolean,
    },
)
