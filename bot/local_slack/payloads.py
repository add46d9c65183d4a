"""What a person's doing looks like to an app: typed text as Slack encodes it, and the parts of payloads."""

import re
from collections.abc import Iterable
from typing import Any

from bot.local_slack.errors import NotOffered
from bot.local_slack.events import JSON
from bot.local_slack.workspace import APP_ID, TEAM, Channel, User, elements, initial_state, options, picked

TOKEN = "local-verification-token"  # noqa: S105  # deprecated, and still in every payload
BROADCASTS = ("here", "channel", "everyone")

_ENTITY = re.compile(
    r"(?<![\w@])@(?P<user>\w(?:[\w.-]*\w)?)|(?<![\w#&])\#(?P<channel>\w[\w-]*)|(?P<url>https?://[^\s<>]*[^\s<>.,;:!?)\]}'\"])"
)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Typed:
    """A text as a person typed it, with the people and channels it may name."""

    def __init__(self, text: str, users: Iterable[User], channels: Iterable[Channel]) -> None:
        self._text = text
        self._users = {user.name: user.id for user in users}
        self._channels = {channel.name: channel.id for channel in channels if channel.kind != "im"}

    def parts(self) -> list[JSON]:
        """The elements of the rich_text_section that Slack's composer makes of it."""
        found: list[JSON] = []
        end = 0
        for match in _ENTITY.finditer(self._text):
            if (part := self._part(match)) is None:
                continue
            if match.start() > end:
                found.append({"type": "text", "text": self._text[end : match.start()]})
            found.append(part)
            end = match.end()
        if end < len(self._text):
            found.append({"type": "text", "text": self._text[end:]})
        return found

    def _part(self, match: re.Match[str]) -> JSON | None:
        user, channel, url = match["user"], match["channel"], match["url"]
        if user in self._users:
            return {"type": "user", "user_id": self._users[user]}
        if user in BROADCASTS:
            return {"type": "broadcast", "range": user}
        if channel in self._channels:
            return {"type": "channel", "channel_id": self._channels[channel]}
        return {"type": "link", "url": url} if url else None

    def mrkdwn(self, *, labels: bool) -> str:
        """As the `text` of a message, or with `labels` on mentions as that of a command."""
        names = {user_id: name for name, user_id in self._users.items()}
        places = {channel_id: name for name, channel_id in self._channels.items()}
        written = ""
        for part in self.parts():
            match part["type"]:
                case "user":
                    label = f"|{names[part['user_id']]}" if labels else ""
                    written += f"<@{part['user_id']}{label}>"
                case "channel":
                    written += f"<#{part['channel_id']}|{places[part['channel_id']]}>"
                case "broadcast":
                    written += f"<!{part['range']}>"
                case "link":
                    written += f"<{escaped(part['url'])}>"
                case _:
                    written += escaped(part["text"])
        return written


def common(user: User) -> JSON:
    """The fields of every interactive payload."""
    return {
        "team": dict(TEAM),
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM["id"]},
        "api_app_id": APP_ID,
        "token": TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def command_form(command: str, text: str, user: User, channel: Channel) -> JSON:
    """The form of a slash command, in Slack's order; `response_url` and `trigger_id` follow."""
    return {
        "token": TOKEN,
        "team_id": TEAM["id"],
        "team_domain": TEAM["domain"],
        "channel_id": channel.id,
        "channel_name": channel.payload_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
    }


def bare(message: JSON) -> JSON:
    """The message without what only our own lists add."""
    return {name: value for name, value in message.items() if name not in ("channel", "seen_by")}


def component(blocks: list[JSON], action_id: str, value: Any) -> tuple[JSON, JSON]:
    """The block and the element a person means. Raises NotOffered."""
    found = [
        (block, element)
        for block in blocks
        for element in elements(block)
        if element["action_id"] == action_id
        and (block["type"] != "input" or block.get("dispatch_action"))
        and (value is None or element["type"] not in _VALUES or value in _VALUES[element["type"]](element))
    ]
    if not found:
        raise NotOffered(f"nothing to press called {action_id}, or not with that value")
    return found[0]


_VALUES = {
    "button": lambda element: [element.get("value")],
    "icon_button": lambda element: [element.get("value")],
    "overflow": lambda element: [option["value"] for option in options(element)],
    "feedback_buttons": lambda element: [element[side]["value"] for side in ("positive_button", "negative_button")],
}


def action(block: JSON, element: JSON, value: Any, channels: dict[str, Channel], ts: str) -> JSON:
    """The entry in `actions` for pressing or picking. Raises NotOffered."""
    kind = element["type"]
    did: JSON = {"action_id": element["action_id"], "block_id": block["block_id"], "type": kind, "action_ts": ts}
    match kind:
        case "button" | "icon_button":
            return did | {name: element[name] for name in ("text", "value", "style") if name in element}
        case "feedback_buttons":
            sides = [element["positive_button"], element["negative_button"]]
            return did | next(
                {"text": side["text"], "value": side["value"]} for side in sides if value in (None, side["value"])
            )
        case "overflow":
            chosen = [option for option in options(element) if option["value"] == value]
            if not chosen:
                raise NotOffered(f"{element['action_id']} is a menu: say which value")
            return did | {"selected_option": chosen[0]}
    return did | picked(element, value, channels)


def message_state(blocks: list[JSON], picks: dict[str, dict[str, JSON]]) -> JSON:
    """`state` of a message: its inputs and menus as they stand."""
    values: dict[str, dict[str, JSON]] = {}
    for block in blocks:
        for element in elements(block):
            if (state := initial_state(element)) is not None:
                chosen = picks.get(block["block_id"], {}).get(element["action_id"], state)
                values.setdefault(block["block_id"], {})[element["action_id"]] = chosen
    return {"values": values}


def remember(typed: dict[str, dict[str, JSON]], block: JSON, element: JSON, did: JSON) -> None:
    """What was picked is what stands there from now on."""
    if initial_state(element) is not None:
        state = {name: did[name] for name in did if name in ("type", "value") or name.startswith("selected_")}
        typed.setdefault(block["block_id"], {})[element["action_id"]] = state
