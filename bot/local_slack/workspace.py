"""The workspace: its people, places, messages and open modals, as they stand now."""

import secrets
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.local_slack.clock import Clock
from bot.local_slack.errors import NotOffered, Refused
from bot.local_slack.events import JSON, Events

STACK = 3
"""Modals that lie on each other: the first, and two pushed."""
MESSAGES = 2_000
"""Messages kept in a channel, and ephemeral ones of a person; the oldest go first."""
NOTICES = 200


@dataclass(frozen=True)
class User:
    id: str
    name: str
    real_name: str
    is_bot: bool = False


@dataclass(frozen=True)
class Channel:
    """`kind` is channel, group (a private channel) or im (a direct message)."""

    id: str
    name: str
    kind: str
    members: frozenset[str]

    @property
    def payload_name(self) -> str:
        """What a payload calls it: apps don't learn the names of private places from one."""
        return {"group": "privategroup", "im": "directmessage"}.get(self.kind, self.name)

    def as_json(self) -> JSON:
        return {"id": self.id, "name": self.name, "kind": self.kind, "members": sorted(self.members)}


USER = User("U0LOCALSAM", "sam", "Sam Rivera")
OTHER = User("U0LOCALMARIA", "maria", "Maria Okafor")
COLLEAGUES = (User("U0LOCALPRIYA", "priya", "Priya Nair"), User("U0LOCALJONAS", "jonas", "Jonas Weber"))
BOT = User("U0LOCALANGEL", "angel", "Text Message Angel", is_bot=True)
BOT_ID = "B0LOCALANGEL"
APP_ID = "A0LOCALANGEL"
TEAM = {"id": "T0LOCAL", "domain": "local-slack"}


@dataclass
class Modal:
    """An open view. `typed` is what stands in its inputs, `errors` what stands under them, by block id."""

    view: JSON
    channel: str | None
    typed: dict[str, dict[str, JSON]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> JSON:
        """The view as payloads and answers carry it."""
        return self.view | {"state": {"values": self.typed}}

    def fill(self, values: Mapping[str, Any], channels: Mapping[str, Channel]) -> None:
        """Types or picks, by action id. Raises NotOffered."""
        inputs = {block["element"]["action_id"]: block for block in self.view["blocks"] if block["type"] == "input"}
        for action_id, value in values.items():
            if action_id not in inputs:
                raise NotOffered(f"no input called {action_id}")
            block = inputs[action_id]
            self.typed[block["block_id"]][action_id] = picked(block["element"], value, channels)

    def response_channels(self) -> list[JSON]:
        """Where a person lets the app answer, by their choice in an input with `response_url_enabled`."""
        found = []
        for block in self.view["blocks"]:
            element = block.get("element", {})
            if element.get("response_url_enabled"):
                chosen = self.typed[block["block_id"]][element["action_id"]]["selected_conversation"]
                if chosen:
                    ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
                    found.append({**ids, "channel_id": chosen})
        return found

    def submittable(self) -> None:
        """Raises NotOffered where Slack would not let a person submit it as it is."""
        if self.view["submit"] is None or self.view["submit_disabled"]:
            raise NotOffered("the modal has nothing to submit it with")
        for block in self.view["blocks"]:
            if block["type"] == "input" and not block.get("optional"):
                state = self.typed[block["block_id"]][block["element"]["action_id"]]
                if not any(content for name, content in state.items() if name != "type"):
                    raise NotOffered(f"the input {block['element']['action_id']} must be filled in")


class Workspace:
    """State, and the events of its changes. What Slack's error codes are for is refused with them."""

    def __init__(self, clock: Clock, events: Events) -> None:
        self.clock = clock
        self.events = events
        two = frozenset({USER.id, OTHER.id})
        people = two | {colleague.id for colleague in COLLEAGUES}
        self.users = {user.id: user for user in (USER, OTHER, *COLLEAGUES, BOT)}
        self.channels = {
            channel.id: channel
            for channel in (
                Channel("C0LOCALTEAM", "team", "channel", people | {BOT.id}),
                Channel("C0LOCALQUIET", "quiet", "channel", people),
                Channel("G0LOCALPLANS", "plans", "group", people),
                Channel("D0LOCALMARIA", "maria", "im", two),
            )
        }
        self.posted: dict[str, dict[str, JSON]] = {channel: {} for channel in self.channels}
        self.shown: dict[str, dict[str, JSON]] = defaultdict(dict)
        """Ephemeral messages: user -> ts -> message."""
        self.picks: dict[str, dict[str, dict[str, JSON]]] = defaultdict(dict)
        """What was picked in messages: ts -> block id -> action id -> state."""
        self.stacks: dict[str, list[Modal]] = defaultdict(list)
        self.notices: dict[str, deque[JSON]] = defaultdict(lambda: deque(maxlen=NOTICES))
        self._last_ts = 0

    def ts(self) -> str:
        """The next timestamp, which is also a name: no two are the same."""
        self._last_ts = max(int(self.clock.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def snapshot(self) -> JSON:
        """Everything, as it stands."""
        return {
            "last": self.events.last,
            "team": TEAM,
            "users": [vars(user) for user in self.users.values()],
            "channels": [channel.as_json() for channel in self.channels.values()],
            "messages": {channel: list(messages.values()) for channel, messages in self.posted.items()},
            "ephemerals": {user: list(shown.values()) for user, shown in self.shown.items()},
            "views": {user: [modal.as_json() for modal in stack] for user, stack in self.stacks.items()},
            "errors": {user: stack[-1].errors for user, stack in self.stacks.items() if stack},
            "notices": {user: list(notices) for user, notices in self.notices.items()},
        }

    # Messages

    def post(self, channel: str, message: JSON) -> JSON:
        thread_ts = message.get("thread_ts")
        parent = self.posted[channel].get(thread_ts) if thread_ts else None
        message = {"type": "message", **message, "team": TEAM["id"], "ts": self.ts(), "channel": channel}
        if parent is not None:
            parent["thread_ts"] = thread_ts
            parent["reply_count"] = parent.get("reply_count", 0) + 1
            message["parent_user_id"] = parent.get("user")
        _keep(self.posted[channel], message)
        self.events.emit("message", channel=channel, message=message)
        return message

    def show(self, user: str, channel: str, message: JSON) -> JSON:
        """A message that only `user` sees."""
        message = {"type": "message", **message, "team": TEAM["id"], "ts": self.ts(), "channel": channel}
        message |= {"is_ephemeral": True, "seen_by": user}
        _keep(self.shown[user], message)
        self.events.emit("ephemeral", user=user, channel=channel, message=message)
        return message

    def find(self, user: str, channel: str, ts: str) -> tuple[JSON, bool]:
        """The message as `user` sees it, and whether it is ephemeral. Raises KeyError."""
        if ts in self.shown[user]:
            return self.shown[user][ts], True
        return self.posted[channel][ts], False

    def replace(self, user: str, channel: str, ts: str, fields: JSON) -> JSON:
        """The message with new `text` and `blocks`, in its place. Raises KeyError."""
        message, ephemeral = self.find(user, channel, ts)
        for name in ("text", "blocks"):
            message.pop(name, None)
        message.update(fields)
        if not ephemeral:
            message["edited"] = {"user": BOT.id, "ts": self.ts()}
        self.events.emit("replaced", channel=channel, ts=ts, message=message, user=user if ephemeral else None)
        return message

    def delete(self, user: str, channel: str, ts: str) -> None:
        """Raises KeyError."""
        _, ephemeral = self.find(user, channel, ts)
        del (self.shown[user] if ephemeral else self.posted[channel])[ts]
        self.events.emit("deleted", channel=channel, ts=ts, user=user if ephemeral else None)

    def notice(self, user: str, channel: str | None, error: str, about: str) -> None:
        """Slack's own words to a person when an app let them down."""
        self.notices[user].append({"error": error, "about": about, "channel": channel})
        self.events.emit("error", user=user, channel=channel, error=error, about=about)

    def direct(self, user: str) -> str:
        """The direct messages of `user` with the app, begun if need be."""
        channel = f"D0APP{user[1:]}"
        if channel not in self.channels:
            self.channels[channel] = Channel(channel, BOT.name, "im", frozenset({user, BOT.id}))
            self.posted[channel] = {}
            self.events.emit("channel", channel=self.channels[channel].as_json())
        return channel

    # Modals

    def modals(self) -> Iterator[tuple[str, Modal]]:
        for user, stack in self.stacks.items():
            for modal in stack:
                yield user, modal

    def modal(self, view_id: object = None, external_id: object = None) -> tuple[str, Modal]:
        """Whose it is, and the modal. Raises Refused `not_found`."""
        for user, modal in self.modals():
            if modal.view["id"] == view_id or (external_id and modal.view["external_id"] == external_id):
                return user, modal
        raise Refused("not_found")

    def open(self, user: str, view: JSON, channel: str | None) -> JSON:
        """As the only modal: what was open before is gone."""
        self._external_id_is_new(view)
        modal = self._modal(view, channel)
        self.stacks[user] = [modal]
        self.changed(user)
        return modal.as_json()

    def push(self, user: str, view: JSON, channel: str | None) -> JSON:
        stack = self.stacks[user]
        if not stack:
            raise Refused("not_found")
        if len(stack) == STACK:
            raise Refused("push_limit_reached")
        self._external_id_is_new(view)
        modal = self._modal(view, channel, stack[0], stack[-1])
        stack.append(modal)
        self.changed(user)
        return modal.as_json()

    def update(self, user: str, modal: Modal, view: JSON) -> JSON:
        """What was typed stays in inputs whose block id and action id stay."""
        if view.get("external_id") != modal.view["external_id"]:
            self._external_id_is_new(view)
        kept = {name: modal.view[name] for name in ("id", "root_view_id", "previous_view_id")}
        fresh = self._modal(view, modal.channel)
        modal.view = fresh.view | kept
        for block_id, inputs in fresh.typed.items():
            for action_id, value in inputs.items():
                before = modal.typed.get(block_id, {}).get(action_id)
                if before is not None and before["type"] == value["type"]:
                    inputs[action_id] = before
        modal.typed, modal.errors = fresh.typed, {}
        self.changed(user)
        return modal.as_json()

    def close(self, user: str, modal: Modal) -> None:
        self.stacks[user] = [other for other in self.stacks[user] if other is not modal]
        self.changed(user)

    def clear(self, user: str) -> None:
        self.stacks[user] = []
        self.changed(user)

    def changed(self, user: str) -> None:
        stack = self.stacks[user]
        self.events.emit(
            "view", user=user, views=[modal.as_json() for modal in stack], errors=stack[-1].errors if stack else {}
        )

    def _external_id_is_new(self, view: JSON) -> None:
        external_id = view.get("external_id")
        if external_id and any(modal.view["external_id"] == external_id for _, modal in self.modals()):
            raise Refused("duplicate_external_id")

    def _modal(
        self, view: JSON, channel: str | None, root: Modal | None = None, previous: Modal | None = None
    ) -> Modal:
        view_id = f"V0{secrets.token_hex(5).upper()}"
        blocks = named(view["blocks"])
        full = {
            "id": view_id,
            "team_id": TEAM["id"],
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            "submit_disabled": False,
            "root_view_id": root.view["id"] if root else view_id,
            "previous_view_id": previous.view["id"] if previous else None,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM["id"],
            "bot_id": BOT_ID,
            "hash": f"{self.ts()}.{secrets.token_hex(4)}",
            **view,
            "blocks": blocks,
        }
        typed: dict[str, dict[str, JSON]] = {}
        for block in blocks:
            for element in elements(block):
                if (value := initial_state(element, channel)) is not None:
                    typed.setdefault(block["block_id"], {})[element["action_id"]] = value
        return Modal(full, channel, typed)


def _keep(messages: dict[str, JSON], message: JSON) -> None:
    messages[message["ts"]] = message
    if len(messages) > MESSAGES:
        del messages[next(iter(messages))]


def named(blocks: list[JSON]) -> list[JSON]:
    """The blocks with the ids that Slack makes up where the app gave none."""
    copies = []
    for block in blocks:
        block = {**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)}
        for place in ("element", "accessory"):
            if place in block:
                block[place] = _with_action_id(block[place])
        if block["type"] in ("actions", "context_actions"):
            block["elements"] = [_with_action_id(element) for element in block["elements"]]
        copies.append(block)
    return copies


def _with_action_id(element: JSON) -> JSON:
    return element if element["type"] == "image" else {"action_id": secrets.token_urlsafe(4), **element}


def elements(block: JSON) -> list[JSON]:
    """The interactive elements of a block."""
    found = [block[place] for place in ("element", "accessory") if place in block]
    if block["type"] in ("actions", "context_actions"):
        found += block["elements"]
    return [element for element in found if element["type"] != "image"]


def initial_state(element: JSON, channel: str | None = None) -> JSON | None:
    """What stands in an input before anybody touched it; None for what has no state, such as a button."""
    kind = element["type"]
    match kind:
        case "plain_text_input":
            return {"type": kind, "value": element.get("initial_value")}
        case "static_select" | "radio_buttons":
            return {"type": kind, "selected_option": element.get("initial_option")}
        case "checkboxes":
            return {"type": kind, "selected_options": element.get("initial_options", [])}
        case "conversations_select":
            here = channel if element.get("default_to_current_conversation") else None
            return {"type": kind, "selected_conversation": element.get("initial_conversation", here)}
    return None


def options(element: JSON) -> list[JSON]:
    groups = element.get("option_groups", [])
    return list(element.get("options", [])) + [option for group in groups for option in group["options"]]


def picked(element: JSON, value: Any, channels: Mapping[str, Channel]) -> JSON:
    """The state of an input after a person typed or picked `value` (an option's value, a list of them, an id).

    Raises NotOffered for what the element does not let them do.
    """
    kind, offered = element["type"], {option["value"]: option for option in options(element)}
    match kind:
        case "plain_text_input":
            text = value or None
            if text and not element.get("min_length", 0) <= len(text) <= element.get("max_length", 3000):
                raise NotOffered(f"the input {element['action_id']} takes texts of another length")
            if text and "\n" in text and not element.get("multiline"):
                raise NotOffered(f"the input {element['action_id']} has one line")
            return {"type": kind, "value": text}
        case "static_select" | "radio_buttons":
            if value is not None and value not in offered:
                raise NotOffered(f"{element['action_id']} has no such option")
            return {"type": kind, "selected_option": offered.get(value)}
        case "checkboxes":
            if not set(value) <= set(offered):
                raise NotOffered(f"{element['action_id']} has no such option")
            return {"type": kind, "selected_options": [offered[each] for each in value]}
        case "conversations_select":
            if value is not None and value not in channels:
                raise NotOffered(f"{element['action_id']} has no such conversation")
            return {"type": kind, "selected_conversation": value}
    raise NotOffered(f"{element['action_id']} takes no value")
