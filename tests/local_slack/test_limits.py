from typing import Any

import pytest

from bot.local_slack.limits import message_problems, message_too_long, view_problems, view_too_large
from tests.local_slack.shapes import (
    JSON,
    actions,
    ask,
    button,
    menu,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    text_input,
)

RICH: JSON = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "bold", "style": {"bold": True}},
                {"type": "link", "url": "https://example.com", "text": "here"},
                {"type": "user", "user_id": "U1"},
                {"type": "emoji", "name": "wave"},
            ],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}],
        },
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "copy me"}]},
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
    ],
}
FEEDBACK: JSON = {
    "type": "feedback_buttons",
    "action_id": "vote",
    "positive_button": {"text": plain("👍"), "value": "up", "accessibility_label": "Good answer"},
    "negative_button": {"text": plain("👎"), "value": "down"},
}
TRASH: JSON = {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "action_id": "trash", "value": "x"}
IMAGE: JSON = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}
VALID: list[JSON] = [
    section("x" * 3000, accessory=button(value="v" * 2000, style="danger"), block_id="b" * 255),
    {"type": "section", "fields": [mrkdwn("a"), plain("b")]},
    section(accessory=IMAGE),
    {"type": "header", "text": plain("h" * 150)},
    {"type": "divider"},
    {"type": "context", "elements": [mrkdwn("c"), plain("d"), IMAGE] * 3},
    actions(
        *(button(f"b{number}") for number in range(20)),
        menu("overflow", "a", "b"),
        menu("static_select", "a", action_id="s", placeholder=plain("p" * 150), initial_option=option("a")),
        menu("radio_buttons", "a", "b", action_id="r"),
        menu("checkboxes", "a", "b", action_id="c", initial_options=[option("a")]),
        {"type": "conversations_select", "action_id": "where", "default_to_current_conversation": True},
    ),
    RICH,
    {**IMAGE, "title": plain("t")},
    {"type": "context_actions", "elements": [FEEDBACK, TRASH]},
    {"type": "markdown", "text": "**bold**"},
    ask(text_input(placeholder=plain("p"), max_length=3000)),
]


@pytest.mark.parametrize("block", VALID, ids=lambda block: str(block["type"]))
def test_what_slack_shows_in_a_message_passes(block: JSON) -> None:
    assert message_problems([block]) == []


def test_fifty_blocks_pass_in_a_message_and_a_hundred_in_a_modal() -> None:
    assert message_problems([section()] * 50) == []
    assert view_problems(modal(*[section()] * 100)) == []


CHOICE = {"type": "conversations_select", "action_id": "where", "response_url_enabled": True}


@pytest.mark.parametrize(
    "view",
    [
        modal(),
        modal(section(), submit=plain("s" * 24), close=plain("c" * 24), title=plain("t" * 24)),
        modal(private_metadata="m" * 3000, callback_id="c" * 255, external_id="e", notify_on_close=True),
        modal(ask(CHOICE, "where"), ask(menu("radio_buttons", "a"), "r", optional=True, hint=plain("h"))),
    ],
)
def test_what_slack_shows_as_a_modal_passes(view: JSON) -> None:
    assert view_problems(view) == []


REFUSED_BLOCKS: list[tuple[Any, str, str]] = [
    (section("x" * 3001), "must be less than 3001 characters", "/blocks/0/text/text"),
    (section(""), "must be more than 0 characters", "/blocks/0/text/text"),
    ({"type": "section"}, "must define either `text` or `fields`", "/blocks/0"),
    ({"type": "section", "fields": [mrkdwn("f")] * 11}, "no more than 10 items", "/blocks/0/fields"),
    ({"type": "section", "fields": [mrkdwn("f" * 2001)]}, "less than 2001", "/blocks/0/fields/0/text"),
    (section(colour="red"), "invalid additional property: colour", "/blocks/0"),
    ({"type": "section", "text": {**mrkdwn("a"), "size": 2}}, "invalid additional property: size", "/blocks/0/text"),
    ({"type": "section", "text": {"type": "html", "text": "a"}}, "unsupported type: html", "/blocks/0/text/type"),
    ({"type": "section", "text": "words"}, "must be an object", "/blocks/0/text"),
    ({"type": "section", "text": mrkdwn(3)}, "must be a string", "/blocks/0/text/text"),  # type: ignore[arg-type]
    (section(block_id="b" * 256), "less than 256", "/blocks/0/block_id"),
    (section(accessory=text_input()), "unsupported type: plain_text_input", "/blocks/0/accessory/type"),
    (section(accessory=FEEDBACK), "unsupported type: feedback_buttons", "/blocks/0/accessory/type"),
    ("words", "must be an object", "/blocks/0"),
    ({"text": mrkdwn("a")}, "missing required field: type", "/blocks/0"),
    ({"type": "carousel"}, "unsupported type: carousel", "/blocks/0/type"),
    ({"type": ["section"]}, "unsupported type", "/blocks/0/type"),
    ({"type": "header", "text": plain("h" * 151)}, "less than 151", "/blocks/0/text/text"),
    ({"type": "header", "text": mrkdwn("h")}, "unsupported type: mrkdwn", "/blocks/0/text/type"),
    ({"type": "divider", "text": plain("d")}, "invalid additional property: text", "/blocks/0"),
    ({"type": "context", "elements": [mrkdwn("c")] * 11}, "no more than 10 items", "/blocks/0/elements"),
    ({"type": "context", "elements": []}, "no less than 1 items", "/blocks/0/elements"),
    ({"type": "context", "elements": [button()]}, "unsupported type: button", "/blocks/0/elements/0/type"),
    (actions(*(button(f"b{number}") for number in range(26))), "no more than 25 items", "/blocks/0/elements"),
    (actions(button(), button()), "`action_id` already exists", "/blocks/0/elements/1"),
    (actions(button("a" * 256)), "less than 256", "/blocks/0/elements/0/action_id"),
    (actions(button(text=plain("t" * 76))), "less than 76", "/blocks/0/elements/0/text/text"),
    (actions(button(text=mrkdwn("t"))), "unsupported type: mrkdwn", "/blocks/0/elements/0/text/type"),
    (actions(button(value="v" * 2001)), "less than 2001", "/blocks/0/elements/0/value"),
    (actions(button(style="loud")), "must be one of primary, danger", "/blocks/0/elements/0/style"),
    (actions(button(disabled=True)), "invalid additional property: disabled", "/blocks/0/elements/0"),
    (actions({"type": "button"}), "missing required field: text", "/blocks/0/elements/0"),
    (actions(text_input()), "unsupported type: plain_text_input", "/blocks/0/elements/0/type"),
    (actions(menu("overflow", "a")), "no less than 2 items", "/blocks/0/elements/0/options"),
    (actions(menu("overflow", *"abcdef")), "no more than 5 items", "/blocks/0/elements/0/options"),
    (actions(menu("overflow", "o" * 76, "b")), "less than 76", "/blocks/0/elements/0/options/0/text/text"),
    (actions(menu("radio_buttons", *map(str, range(11)))), "no more than 10", "/blocks/0/elements/0/options"),
    (actions(menu("checkboxes")), "no less than 1 items", "/blocks/0/elements/0/options"),
    (actions({"type": "static_select"}), "`options` or `option_groups`", "/blocks/0/elements/0"),
    (actions(menu("static_select", *map(str, range(101)))), "no more than 100", "/blocks/0/elements/0/options"),
    (
        actions(menu("static_select", "a", placeholder=plain("p" * 151))),
        "less than 151",
        "/blocks/0/elements/0/placeholder/text",
    ),
    (
        actions(menu("static_select", "a", initial_option=option("b"))),
        "must match one of the options",
        "/blocks/0/elements/0/initial_option",
    ),
    (actions(CHOICE), "invalid additional property: response_url_enabled", "/blocks/0/elements/0"),
    (ask(CHOICE), "invalid additional property: response_url_enabled", "/blocks/0/element"),
    (ask(text_input(max_length=3001)), "must be between 1 and 3000", "/blocks/0/element/max_length"),
    (ask(text_input(max_length=True)), "must be an integer", "/blocks/0/element/max_length"),
    (ask(text_input(min_length=9, max_length=3)), "`max_length`", "/blocks/0/element/min_length"),
    (ask(text_input(initial_value="long", max_length=3)), "less than 4", "/blocks/0/element/initial_value"),
    (ask(text_input(multiline="yes")), "must be a boolean", "/blocks/0/element/multiline"),
    (ask(text_input(), label=plain("l" * 2001)), "less than 2001", "/blocks/0/label/text"),
    (ask(button()), "unsupported type: button", "/blocks/0/element/type"),
    ({"type": "input", "element": text_input()}, "missing required field: label", "/blocks/0"),
    ({"type": "image", "alt_text": "a"}, "`image_url` or `slack_file`", "/blocks/0"),
    ({"type": "image", "image_url": "https://example.com"}, "missing required field: alt_text", "/blocks/0"),
    ({"type": "context_actions", "elements": [FEEDBACK] * 6}, "no more than 5 items", "/blocks/0/elements"),
    ({"type": "context_actions", "elements": [button()]}, "unsupported type: button", "/blocks/0/elements/0/type"),
    (
        {"type": "context_actions", "elements": [{**TRASH, "icon": "flame"}]},
        "must be one of trash",
        "/blocks/0/elements/0/icon",
    ),
    (
        {"type": "context_actions", "elements": [{"type": "feedback_buttons", "positive_button": {}}]},
        "missing required field: negative_button",
        "/blocks/0/elements/0",
    ),
    (
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "sticker"}]}]},
        "unsupported type: sticker",
        "/blocks/0/elements/0/elements/0/type",
    ),
    (
        {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "user"}]}]},
        "unsupported type: user",
        "/blocks/0/elements/0/elements/0/type",
    ),
    (
        {"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": []}]},
        "missing required field: style",
        "/blocks/0/elements/0",
    ),
    (
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "t", "style": {"loud": True}}]}
            ],
        },
        "invalid additional property: loud",
        "/blocks/0/elements/0/elements/0/style",
    ),
]


@pytest.mark.parametrize(("block", "says", "at"), REFUSED_BLOCKS)
def test_a_block_that_slack_refuses_is_refused_with_its_place(block: Any, says: str, at: str) -> None:
    assert any(says in problem and problem.endswith(f"[json-pointer:{at}]") for problem in message_problems([block]))


def test_a_message_has_at_most_fifty_blocks_and_no_block_id_twice() -> None:
    assert message_problems([section()] * 51) == ["no more than 50 items allowed [json-pointer:/blocks]"]
    twice = message_problems([section(block_id="a"), section(block_id="a")])
    assert twice == ["`block_id` already exists: a [json-pointer:/blocks/1/block_id]"]


@pytest.mark.parametrize(
    ("view", "says", "at"),
    [
        (None, "must be an object", "/view"),
        ({}, "missing required field: type", "/view"),
        (modal(type="home"), "unsupported type: home", "/view/type"),
        ({"type": "modal", "title": plain("t")}, "missing required field: blocks", "/view"),
        ({"type": "modal", "blocks": []}, "missing required field: title", "/view"),
        (modal(title=plain("t" * 25)), "less than 25", "/view/title/text"),
        (modal(title=mrkdwn("t")), "unsupported type: mrkdwn", "/view/title/type"),
        (modal(submit=plain("s" * 25)), "less than 25", "/view/submit/text"),
        (modal(close=plain("c" * 25)), "less than 25", "/view/close/text"),
        (modal(private_metadata="m" * 3001), "less than 3001", "/view/private_metadata"),
        (modal(callback_id="c" * 256), "less than 256", "/view/callback_id"),
        (modal(external_id="e" * 256), "less than 256", "/view/external_id"),
        (modal(state={}), "invalid additional property: state", "/view"),
        (modal(clear_on_close="yes"), "must be a boolean", "/view/clear_on_close"),
        (modal(*[section()] * 101), "no more than 100 items", "/view/blocks"),
        (modal(blocks="none"), "must be an array", "/view/blocks"),
        (modal(section("x" * 3001)), "less than 3001", "/view/blocks/0/text/text"),
        (modal({"type": "context_actions", "elements": [FEEDBACK]}), "context_actions", "/view/blocks/0/type"),
        (modal(section(block_id="a"), section(block_id="a")), "`block_id` already exists", "/view/blocks/1/block_id"),
        (
            {"type": "modal", "title": plain("t"), "blocks": [ask(text_input())]},
            "missing required field: submit",
            "/view",
        ),
    ],
)
def test_a_modal_that_slack_refuses_is_refused_with_its_place(view: Any, says: str, at: str) -> None:
    assert any(says in problem and problem.endswith(f"[json-pointer:{at}]") for problem in view_problems(view))


def test_all_blocks_of_a_message_together_have_a_limit() -> None:
    assert not message_too_long([section("x" * 3000)] * 4)
    assert message_too_long([section("x" * 3000)] * 5)


def test_a_view_of_more_than_250_kb_is_too_large() -> None:
    assert not view_too_large(modal(*[section("x" * 2000)] * 100))
    assert view_too_large(modal(*[section("x" * 3000)] * 100))
