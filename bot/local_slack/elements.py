"""The elements that a person presses, picks or types in, and what they are made of, as Slack's reference has them."""

from collections.abc import Iterator
from typing import Any

from bot.local_slack.checks import (
    Check,
    all_of,
    among,
    array,
    boolean,
    data,
    integer,
    matching,
    object_of,
    string,
    typed,
    utf16_units,
)
from bot.local_slack.inputs import options

# Composition objects: https://docs.slack.dev/reference/block-kit/composition-objects

ID = data(255)
URL = all_of(data(3000), matching(r"(?i)(https?|mailto|tel|slack):\S+", "url"))
CONVERSATION = matching(r"[CDG][A-Z0-9]{2,20}", "channel id")
USER = matching(r"[UW][A-Z0-9]{1,20}", "user id")
"""The documentation's are of 9 to 11 characters; it bounds none, and Slack refuses very long ones."""


def text(most: int, *kinds: str) -> Check:
    content = {"text": string(most)}
    shapes = {
        "plain_text": object_of(content, {"emoji": boolean}),
        "mrkdwn": object_of(content, {"verbatim": boolean}),
    }
    return typed({kind: shapes[kind] for kind in kinds})


def plain(most: int) -> Check:
    return text(most, "plain_text")


def any_text(most: int) -> Check:
    return text(most, "plain_text", "mrkdwn")


CONFIRM = object_of(
    {"title": plain(100), "text": any_text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": among("primary", "danger")},
)
OPTION = object_of({"text": plain(75), "value": data(150)}, {"description": plain(75)})
DISPATCH = object_of(
    {}, {"trigger_actions_on": array(among("on_enter_pressed", "on_character_entered"), most=2, least=1)}
)
FILTER = object_of(
    {},
    {
        "include": array(among("im", "mpim", "private", "public"), most=4, least=1),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)

# Elements: https://docs.slack.dev/reference/block-kit/block-elements

BUTTON = object_of(
    {"text": plain(75)},
    {
        "action_id": ID,
        "url": URL,
        "value": data(2000),
        "style": among("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)


def _initial_among_options(element: Any, at: str) -> Iterator[str]:
    if "initial_option" in element and element["initial_option"] not in options(element):
        yield f"must match one of the options [json-pointer:{at}/initial_option]"


def _lengths_fit(element: Any, at: str) -> Iterator[str]:
    most = element.get("max_length", 3000)
    if element.get("min_length", 0) > most:
        yield f"must not be more than `max_length` [json-pointer:{at}/min_length]"
    if utf16_units(element.get("initial_value", "")) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}/initial_value]"


STATIC_SELECT = all_of(
    object_of(
        {},
        {
            "options": array(OPTION, most=100, least=1),
            "option_groups": array(
                object_of({"label": plain(75), "options": array(OPTION, 100, 1)}), most=100, least=1
            ),
            "placeholder": plain(150),
            "action_id": ID,
            "initial_option": OPTION,
            "confirm": CONFIRM,
            "focus_on_load": boolean,
        },
        either=("options", "option_groups"),
    ),
    _initial_among_options,
)
PLAIN_TEXT_INPUT = all_of(
    object_of(
        {},
        {
            "action_id": ID,
            "initial_value": string(3000, 0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": DISPATCH,
            "focus_on_load": boolean,
            "placeholder": plain(150),
        },
    ),
    _lengths_fit,
)


def conversations_select(**more: Check) -> Check:
    return object_of(
        {},
        {
            "action_id": ID,
            "placeholder": plain(150),
            "initial_conversation": CONVERSATION,
            "default_to_current_conversation": boolean,
            "confirm": CONFIRM,
            "focus_on_load": boolean,
            "filter": FILTER,
            **more,
        },
    )


MULTI_CONVERSATIONS_SELECT = object_of(
    {},
    {
        "action_id": ID,
        "placeholder": plain(150),
        "initial_conversations": array(CONVERSATION, most=100),
        "max_selected_items": integer(1, 100),
        "confirm": CONFIRM,
        "focus_on_load": boolean,
        "filter": FILTER,
    },
)
MULTI_USERS_SELECT = object_of(
    {},
    {
        "action_id": ID,
        "placeholder": plain(150),
        "initial_users": array(USER, most=100),
        "max_selected_items": integer(1, 100),
        "confirm": CONFIRM,
        "focus_on_load": boolean,
    },
)
ACCESSORIES = {
    "button": BUTTON,
    "static_select": STATIC_SELECT,
    "conversations_select": conversations_select(),
    "multi_conversations_select": MULTI_CONVERSATIONS_SELECT,
    "multi_users_select": MULTI_USERS_SELECT,
}
"""Of a section. The reference allows those with `multi_` there and in an input, and not in a row of actions."""
ACTIONS = {kind: check for kind, check in ACCESSORIES.items() if not kind.startswith("multi_")}
INPUTS = {kind: check for kind, check in ACCESSORIES.items() if kind != "button"} | {
    "plain_text_input": PLAIN_TEXT_INPUT
}
