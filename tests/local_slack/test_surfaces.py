from typing import Any

from bot.local_slack.surfaces import message_problems, message_too_long, view_problems, view_too_large
from tests.local_slack.shapes import (
    JSON,
    actions,
    ask,
    button,
    home,
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
VALID: list[JSON] = [
    section("x" * 3000, accessory=button(value="v" * 2000, style="danger"), block_id="b" * 255),
    {"type": "section", "fields": [mrkdwn("a"), plain("b")]},
    section(accessory={"type": "multi_users_select", "action_id": "who", "initial_users": ["U1"]}),
    {"type": "header", "text": plain("h" * 150)},
    {"type": "divider"},
    {"type": "context", "elements": [mrkdwn("c"), plain("d")] * 5},
    actions(
        *(button(f"b{number}") for number in range(20)),
        menu("static_select", "a", action_id="s", placeholder=plain("p" * 150), initial_option=option("a")),
        {"type": "conversations_select", "action_id": "where", "default_to_current_conversation": True},
    ),
    RICH,
]


def test_what_slack_shows_in_a_message_passes() -> None:
    assert {str(block): problems for block in VALID if (problems := message_problems([block]))} == {}


def test_fifty_blocks_pass_in_a_message_and_a_hundred_in_a_view() -> None:
    assert message_problems([section()] * 50) == []
    assert view_problems(modal(*[section()] * 100)) == []
    assert view_problems(home(*[section()] * 100), "home") == []


CHOICE = {"type": "conversations_select", "action_id": "where", "response_url_enabled": True}
VIEWS = [
    modal(),
    modal(section(), submit=plain("s" * 24), close=plain("c" * 24), title=plain("t" * 24)),
    modal(private_metadata="m" * 3000, callback_id="c" * 255, external_id="e", notify_on_close=True),
    modal(ask(CHOICE, "where"), ask(menu("static_select", "a"), "r", optional=True, hint=plain("h"))),
    modal(ask({"type": "multi_conversations_select", "action_id": "where", "max_selected_items": 3}, "where")),
    home(section(), ask(text_input(), dispatch_action=True), private_metadata="m", callback_id="home"),
    home(),
]


def test_what_slack_shows_as_a_view_passes() -> None:
    assert {str(view): problems for view in VIEWS if (problems := view_problems(view, view["type"]))} == {}


def rich(kind: str, *elements: JSON, **more: Any) -> JSON:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements), **more}]}


REFUSED_BLOCKS: list[tuple[Any, str, str]] = [
    (section("x" * 3001), "must be less than 3001 characters", "/text/text"),
    (section("😀" * 1501), "must be less than 3001 characters", "/text/text"),
    (section(""), "must be more than 0 characters", "/text/text"),
    ({"type": "section"}, "must define either `text` or `fields`", ""),
    ({"type": "section", "fields": [mrkdwn("f")] * 11}, "no more than 10 items", "/fields"),
    ({"type": "section", "fields": [mrkdwn("f" * 2001)]}, "less than 2001", "/fields/0/text"),
    (section(colour="red"), "invalid additional property: colour", ""),
    ({"type": "section", "text": {**mrkdwn("a"), "size": 2}}, "invalid additional property: size", "/text"),
    ({"type": "section", "text": {"type": "html", "text": "a"}}, "unsupported type: html", "/text/type"),
    ({"type": "section", "text": "words"}, "must be an object", "/text"),
    ({"type": "section", "text": mrkdwn(3)}, "must be a string", "/text/text"),  # type: ignore[arg-type]
    (section(block_id="b" * 256), "less than 256", "/block_id"),
    (section(block_id="é" * 128), "less than 256", "/block_id"),
    (section(accessory=text_input()), "unsupported type: plain_text_input", "/accessory/type"),
    ("words", "must be an object", ""),
    ({"text": mrkdwn("a")}, "missing required field: type", ""),
    ({"type": "carousel"}, "unsupported type: carousel", "/type"),
    ({"type": ["section"]}, "unsupported type", "/type"),
    (ask(text_input()), "unsupported type: input", "/type"),
    ({"type": "header", "text": plain("h" * 151)}, "less than 151", "/text/text"),
    ({"type": "header", "text": mrkdwn("h")}, "unsupported type: mrkdwn", "/text/type"),
    ({"type": "divider", "text": plain("d")}, "invalid additional property: text", ""),
    ({"type": "context", "elements": [mrkdwn("c")] * 11}, "no more than 10 items", "/elements"),
    ({"type": "context", "elements": []}, "no less than 1 items", "/elements"),
    ({"type": "context", "elements": [button()]}, "unsupported type: button", "/elements/0/type"),
    (actions(*(button(f"b{number}") for number in range(26))), "no more than 25 items", "/elements"),
    (actions(button(), button()), "`action_id` already exists", "/elements/1"),
    (actions(button("a" * 256)), "less than 256", "/elements/0/action_id"),
    (actions(button(text=plain("t" * 76))), "less than 76", "/elements/0/text/text"),
    (actions(button(text=mrkdwn("t"))), "unsupported type: mrkdwn", "/elements/0/text/type"),
    (actions(button(value="v" * 2001)), "less than 2001", "/elements/0/value"),
    (actions(button(value="é" * 1001)), "less than 2001", "/elements/0/value"),
    (actions(button(style="loud")), "must be one of primary, danger", "/elements/0/style"),
    (actions(button(url="example.com")), "must be a valid url", "/elements/0/url"),
    (actions(button(confirm={"title": plain("Sure?")})), "missing required field: text", "/elements/0/confirm"),
    (actions(button(disabled=True)), "invalid additional property: disabled", "/elements/0"),
    (actions({"type": "button"}), "missing required field: text", "/elements/0"),
    (actions(text_input()), "unsupported type: plain_text_input", "/elements/0/type"),
    (actions({"type": "multi_users_select"}), "unsupported type: multi_users_select", "/elements/0/type"),
    (actions({"type": "static_select"}), "`options` or `option_groups`", "/elements/0"),
    (actions(menu("static_select", *map(str, range(101)))), "no more than 100", "/elements/0/options"),
    (actions(menu("static_select", "o" * 76)), "less than 76", "/elements/0/options/0/text/text"),
    (actions(menu("static_select", "é" * 76)), "less than 151", "/elements/0/options/0/value"),
    (
        actions(menu("static_select", "a", placeholder=plain("p" * 151))),
        "less than 151",
        "/elements/0/placeholder/text",
    ),
    (
        actions(menu("static_select", "a", initial_option=option("b"))),
        "must match one of the options",
        "/elements/0/initial_option",
    ),
    (actions(CHOICE), "invalid additional property: response_url_enabled", "/elements/0"),
    (
        rich("rich_text_list", {"type": "rich_text_section", "elements": []}),
        "missing required field: style",
        "/elements/0",
    ),
    (
        rich("rich_text_section", {"type": "text", "text": "t", "style": {"loud": True}}),
        "invalid additional property: loud",
        "/elements/0/elements/0/style",
    ),
    *(
        (rich(kind, element), says, f"/elements/0/elements/0/{name}")
        for kind, element, says, name in (
            ("rich_text_section", {"type": "sticker"}, "unsupported type: sticker", "type"),
            ("rich_text_preformatted", {"type": "user", "user_id": "U1"}, "unsupported type: user", "type"),
            ("rich_text_preformatted", {"type": "emoji", "name": "wave"}, "unsupported type: emoji", "type"),
            ("rich_text_section", {"type": "text", "text": ""}, "more than 0", "text"),
            ("rich_text_section", {"type": "user", "user_id": "U" * 300}, "must be a valid user id", "user_id"),
            ("rich_text_section", {"type": "channel", "channel_id": "general"}, "a valid channel id", "channel_id"),
            ("rich_text_quote", {"type": "usergroup", "usergroup_id": "S-1"}, "valid usergroup id", "usergroup_id"),
            ("rich_text_quote", {"type": "broadcast", "range": "all"}, "must be one of here", "range"),
            ("rich_text_quote", {"type": "emoji", "name": "two words"}, "must be a valid emoji name", "name"),
            ("rich_text_quote", {"type": "link", "url": "no address"}, "must be a valid url", "url"),
        )
    ),
]


def test_a_block_that_slack_refuses_is_refused_with_its_place() -> None:
    passed = [
        (block, says, problems)
        for block, says, at in REFUSED_BLOCKS
        if not _named(problems := message_problems([block]), says, f"/blocks/0{at}")
    ]
    assert passed == []


UNUSED = (
    *("image", "markdown", "context_actions", "table", "video", "file", "call"),
    *("overflow", "radio_buttons", "checkboxes", "datepicker", "feedback_buttons", "icon_button", "users_select"),
)


def test_what_is_real_but_unused_is_refused_like_what_is_unknown() -> None:
    for kind in UNUSED:
        assert message_problems([{"type": kind}]) == [f"unsupported type: {kind} [json-pointer:/blocks/0/type]"]
        assert view_problems(modal({"type": kind})) == [f"unsupported type: {kind} [json-pointer:/view/blocks/0/type]"]
        (problem,) = message_problems([actions({"type": kind})])
        assert problem == f"unsupported type: {kind} [json-pointer:/blocks/0/elements/0/type]"


def test_a_message_has_at_most_fifty_blocks_and_no_block_id_twice() -> None:
    assert message_problems([section()] * 51) == ["no more than 50 items allowed [json-pointer:/blocks]"]
    twice = message_problems([section(block_id="a"), section(block_id="a")])
    assert twice == ["`block_id` already exists: a [json-pointer:/blocks/1/block_id]"]


REFUSED_VIEWS: list[tuple[Any, str, str]] = [
    (None, "must be an object", ""),
    ({}, "missing required field: type", ""),
    (modal(type="home"), "unsupported type: home", "/type"),
    ({"type": "modal", "title": plain("t")}, "missing required field: blocks", ""),
    ({"type": "modal", "blocks": []}, "missing required field: title", ""),
    (modal(title=plain("t" * 25)), "less than 25", "/title/text"),
    (modal(title=mrkdwn("t")), "unsupported type: mrkdwn", "/title/type"),
    (modal(submit=plain("s" * 25)), "less than 25", "/submit/text"),
    (modal(close=plain("c" * 25)), "less than 25", "/close/text"),
    (modal(private_metadata="m" * 3001), "less than 3001", "/private_metadata"),
    (modal(private_metadata="é" * 1501), "less than 3001", "/private_metadata"),
    (modal(callback_id="c" * 256), "less than 256", "/callback_id"),
    (modal(external_id="e" * 256), "less than 256", "/external_id"),
    (modal(state={}), "invalid additional property: state", ""),
    (modal(clear_on_close="yes"), "must be a boolean", "/clear_on_close"),
    (modal(*[section()] * 101), "no more than 100 items", "/blocks"),
    (modal(blocks="none"), "must be an array", "/blocks"),
    (modal(section("x" * 3001)), "less than 3001", "/blocks/0/text/text"),
    (modal(section(block_id="a"), section(block_id="a")), "`block_id` already exists", "/blocks/1/block_id"),
    (modal(ask(text_input(max_length=3001))), "must be between 1 and 3000", "/blocks/0/element/max_length"),
    (modal(ask(text_input(max_length=True))), "must be an integer", "/blocks/0/element/max_length"),
    (modal(ask(text_input(min_length=9, max_length=3))), "`max_length`", "/blocks/0/element/min_length"),
    (modal(ask(text_input(initial_value="long", max_length=3))), "less than 4", "/blocks/0/element/initial_value"),
    (modal(ask(text_input(initial_value="😀😀", max_length=3))), "less than 4", "/blocks/0/element/initial_value"),
    (modal(ask(text_input(multiline="yes"))), "must be a boolean", "/blocks/0/element/multiline"),
    (modal(ask(text_input(), label=plain("l" * 2001))), "less than 2001", "/blocks/0/label/text"),
    (modal(ask(button())), "unsupported type: button", "/blocks/0/element/type"),
    (modal({"type": "input", "element": text_input()}), "missing required field: label", "/blocks/0"),
    (
        {"type": "modal", "title": plain("t"), "blocks": [ask(text_input())]},
        "missing required field: submit",
        "",
    ),
]


def test_a_modal_that_slack_refuses_is_refused_with_its_place() -> None:
    passed = [
        (view, says, problems)
        for view, says, at in REFUSED_VIEWS
        if not _named(problems := view_problems(view), says, f"/view{at}")
    ]
    assert passed == []


def test_a_home_tab_has_no_frame_and_answers_in_no_conversation() -> None:
    assert view_problems(modal(), "home") == ["unsupported type: modal [json-pointer:/view/type]"]
    assert view_problems(home(title=plain("t")), "home") == ["invalid additional property: title [json-pointer:/view]"]
    (problem,) = view_problems(home(ask(CHOICE)), "home")
    assert "response_url_enabled" in problem


def test_all_blocks_of_a_message_together_have_a_limit() -> None:
    assert not message_too_long([section("x" * 3000)] * 4)
    assert message_too_long([section("x" * 3000)] * 5)
    assert message_too_long([section("é" * 3000)] * 3)


def test_a_view_of_more_than_250_kb_is_too_large() -> None:
    assert not view_too_large(modal(*[section("x" * 2000)] * 100))
    assert view_too_large(modal(*[section("x" * 3000)] * 100))


def _named(problems: list[str], says: str, at: str) -> bool:
    return any(says in problem and problem.endswith(f"[json-pointer:{at}]") for problem in problems)
