"""The Home tab, and the form in which whoever installed Angel says what holds in the workspace. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.slack import wording
from bot.store.terms import HOUSE_STYLE_CHARACTERS, PersonsChoices, WorkspaceRules
from bot.verdict import Tone

Block = dict[str, Any]
View = dict[str, Any]

TRY, HOME_TONE, CONNECT, DISCONNECT, NOT_NOW, OPEN_RULES = (
    "home_try",
    "home_tone",
    "connect",
    "disconnect",
    "connect_not_now",
    "open_rules",
)
"""Action ids."""
RULES = "workspace_rules"
"""The callback id of the form."""
DRAFT = "home_draft"
ANY_TONE = "any"
ABOUT_CHARACTERS = 1_000
DRAFT_CHARACTERS = 3_000
"""What an input can hold (Slack: "Plain-text input")."""

_CONVERSATIONS = ("allowed_channels", "denied_channels")
_PEOPLE = ("allowed_people", "denied_people", "connecting_people")


@dataclass(frozen=True)
class Home:
    """What the Home tab of one person shows.

    `connected` is None where nobody can connect here; `link` is where this person can. `reads` says which model and
    provider read drafts, `keeps` what is kept.
    """

    reads: str
    keeps: str
    has_store: bool
    choices: PersonsChoices = field(default_factory=PersonsChoices)
    rules: WorkspaceRules = field(default_factory=WorkspaceRules)
    connected: bool | None = None
    link: str = ""
    may_set_rules: bool = False


def home_view(home: Home) -> View:
    """The view for `views.publish`."""
    blocks: list[Block] = [
        {"type": "header", "text": _plain(wording.TITLE)},
        _section(wording.HOME_WHAT_I_DO_MRKDWN),
        {
            "type": "input",
            "block_id": DRAFT,
            "optional": True,
            "label": _plain(wording.HOME_DRAFT_LABEL),
            "element": {
                "type": "plain_text_input",
                "action_id": DRAFT,
                "multiline": True,
                "max_length": DRAFT_CHARACTERS,
                "placeholder": _plain(wording.DRAFT_PLACEHOLDER),
            },
        },
        _row(_button(TRY, wording.CHECK, style="primary")),
    ]
    if home.has_store:
        blocks += [{"type": "divider"}, _tone(home.choices), *_connection(home)]
    else:
        blocks += [{"type": "divider"}, _section(wording.HOME_WITHOUT_STORE_MRKDWN)]
    about = [home.rules.about] if home.rules.about else []
    blocks += [
        {"type": "divider"},
        {"type": "section", "text": _plain("\n".join([*about, home.reads, home.keeps]))},
    ]
    if home.may_set_rules:
        blocks += [
            {"type": "section", "text": _plain(wording.RULES_FOR_ADMINS)},
            _row(_button(OPEN_RULES, wording.RULES_BUTTON)),
        ]
    return {"type": "home", "blocks": blocks}


def rules_view(rules: WorkspaceRules) -> View:
    """The form for the workspace's rules, with what holds now."""
    return {
        "type": "modal",
        "callback_id": RULES,
        "title": _plain(wording.RULES_TITLE),
        "submit": _plain(wording.RULES_SAVE),
        "close": _plain(wording.RULES_CANCEL),
        "blocks": [
            *(_picker(name, "multi_conversations_select", getattr(rules, name)) for name in _CONVERSATIONS),
            *(_picker(name, "multi_users_select", getattr(rules, name)) for name in _PEOPLE[:2]),
            _input("house_style", rules.house_style, HOUSE_STYLE_CHARACTERS),
            {
                "type": "input",
                "block_id": "may_connect",
                "label": _plain(wording.RULES_LABELS["may_connect"]),
                "element": {
                    "type": "static_select",
                    "action_id": "may_connect",
                    "options": [_option(label, value) for value, label in wording.MAY_CONNECT.items()],
                    "initial_option": _option(wording.MAY_CONNECT[rules.may_connect], rules.may_connect),
                },
            },
            _picker(_PEOPLE[2], "multi_users_select", rules.connecting_people),
            _input("about", rules.about, ABOUT_CHARACTERS, multiline=True),
        ],
    }


def submitted_rules(view: View) -> WorkspaceRules:
    """What the form says; a part that an older or newer form lacks is at its default."""
    said: dict[str, Any] = {}
    for block, elements in view["state"]["values"].items():
        element = elements.get(block, {})
        if block in _CONVERSATIONS:
            said[block] = tuple(element.get("selected_conversations") or ())
        elif block in _PEOPLE:
            said[block] = tuple(element.get("selected_users") or ())
        elif block == "may_connect":
            said[block] = element["selected_option"]["value"]
        elif block in ("house_style", "about"):
            said[block] = (
                " ".join((element.get("value") or "").split())
                if block == "house_style"
                else (element.get("value") or "")
            )
    return WorkspaceRules(**said)


def draft_in(view: View) -> str:
    """What was typed into the box of the Home tab."""
    return str(view["state"]["values"].get(DRAFT, {}).get(DRAFT, {}).get("value") or "")


def connect_button(link: str) -> Block:
    return {**_button(CONNECT, wording.CONNECT), "url": link}


def _tone(choices: PersonsChoices) -> Block:
    options = [_option(wording.ANY_TONE, ANY_TONE), *(_option(wording.tone_name(tone), tone.value) for tone in Tone)]
    chosen = choices.tone.value if choices.tone else ANY_TONE
    return {
        "type": "section",
        "text": _plain(wording.HOME_TONE),
        "accessory": {
            "type": "static_select",
            "action_id": HOME_TONE,
            "options": options,
            "initial_option": next(option for option in options if option["value"] == chosen),
        },
    }


def _connection(home: Home) -> list[Block]:
    if home.connected is None:
        return []
    if not home.connected:
        return [_section(wording.HOME_NOT_CONNECTED_MRKDWN), _row(connect_button(home.link))] if home.link else []
    confirm = {
        "title": _plain(wording.DISCONNECT_TITLE),
        "text": _plain(wording.DISCONNECT_TEXT),
        "confirm": _plain(wording.DISCONNECT),
        "deny": _plain(wording.CANCEL),
    }
    return [
        _section(wording.HOME_CONNECTED_MRKDWN),
        _row({**_button(DISCONNECT, wording.DISCONNECT), "confirm": confirm}),
    ]


def _picker(name: str, kind: str, chosen: Sequence[str]) -> Block:
    initial = "initial_conversations" if kind == "multi_conversations_select" else "initial_users"
    return {
        "type": "input",
        "block_id": name,
        "optional": True,
        "label": _plain(wording.RULES_LABELS[name]),
        "element": {"type": kind, "action_id": name, **({initial: list(chosen)} if chosen else {})},
    }


def _input(name: str, value: str, most: int, *, multiline: bool = False) -> Block:
    return {
        "type": "input",
        "block_id": name,
        "optional": True,
        "label": _plain(wording.RULES_LABELS[name]),
        "element": {
            "type": "plain_text_input",
            "action_id": name,
            "multiline": multiline,
            "max_length": most,
            **({"initial_value": value} if value else {}),
        },
    }


def _section(mrkdwn: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn, "verbatim": True}}


def _row(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def _button(action_id: str, text: str, **more: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": _plain(text), **more}


def _option(text: str, value: str) -> Block:
    return {"text": _plain(text), "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
