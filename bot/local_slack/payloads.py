"""What a person's doing looks like to an app: typed text as Slack encodes it, and the parts of payloads."""

import re
import secrets
from collections.abc import Collection, Iterable
from typing import Any

from bot.local_slack.app import APP_ID
from bot.local_slack.errors import NotOffered
from bot.local_slack.events import JSON
from bot.local_slack.inputs import State, elements, initial_state, picked
from bot.local_slack.workspaces import ENTERPRISE, Channel, Team, User

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


def common(user: User, team: Team, *, org_wide: bool) -> JSON:
    """The fields of every interactive payload."""
    enterprise = dict(ENTERPRISE) if org_wide else None
    return {
        "team": {"id": team.id, "domain": team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team.id},
        "api_app_id": APP_ID,
        "token": TOKEN,
        "enterprise": enterprise,
        "is_enterprise_install": org_wide,
    }


def command_form(command: str, text: str, user: User, channel: Channel, team: Team, *, org_wide: bool) -> JSON:
    """The form of a slash command, in Slack's order; `response_url` and `trigger_id` follow."""
    enterprise = {"enterprise_id": ENTERPRISE["id"], "enterprise_name": ENTERPRISE["name"]} if org_wide else {}
    return {
        "token": TOKEN,
        "team_id": team.id,
        "team_domain": team.domain,
        **enterprise,
        "channel_id": channel.id,
        "channel_name": channel.payload_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": str(org_wide).lower(),
    }


def event_callback(event: JSON, team: Team, bot: str, now: float, *, org_wide: bool) -> JSON:
    """An event in its wrapper: https://docs.slack.dev/apis/events-api"""
    enterprise = ENTERPRISE["id"] if org_wide else None
    return {
        "token": TOKEN,
        "team_id": team.id,
        **({"enterprise_id": enterprise} if enterprise else {}),
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(now),
        "authorizations": [
            {
                "enterprise_id": enterprise,
                "team_id": team.id,
                "user_id": bot,
                "is_bot": True,
                "is_enterprise_install": org_wide,
            }
        ],
        "is_ext_shared_channel": False,
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
        and (value is None or element["type"] != "button" or value == element.get("value"))
    ]
    if not found:
        raise NotOffered(f"nothing to press called {action_id}, or not with that value")
    return found[0]


def action(block: JSON, element: JSON, value: Any, channels: Collection[str], users: Collection[str], ts: str) -> JSON:
    """The entry in `actions` for pressing or picking. Raises NotOffered."""
    kind = element["type"]
    did: JSON = {"action_id": element["action_id"], "block_id": block["block_id"], "type": kind, "action_ts": ts}
    if kind == "button":
        return did | {name: element[name] for name in ("text", "value", "style") if name in element}
    return did | picked(element, value, channels, users)


def message_state(blocks: list[JSON], picks: State) -> JSON:
    """`state` of a message: its menus as they stand."""
    values = initial_state(blocks)
    for block_id, inputs in values.items():
        inputs.update({name: chosen for name, chosen in picks.get(block_id, {}).items() if name in inputs})
    return {"values": values}


def remember(typed: State, block: JSON, element: JSON, did: JSON) -> None:
    """What was picked is what stands there from now on."""
    if element["type"] != "button":
        state = {name: did[name] for name in did if name in ("type", "value") or name.startswith("selected_")}
        typed.setdefault(block["block_id"], {})[element["action_id"]] = state
