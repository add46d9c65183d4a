"""Views: the modal that a person has in front of them, and their Home tab of the app."""

import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.local_slack.app import APP_ID
from bot.local_slack.errors import NotOffered, Refused
from bot.local_slack.events import JSON, Events
from bot.local_slack.inputs import State, initial_state, picked, with_ids
from bot.local_slack.workspaces import Workspaces


@dataclass
class View:
    """`typed` is what stands in its inputs, `errors` what stands under them; it was opened in `channel`."""

    user: str
    json: JSON
    channel: str | None = None
    typed: State = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> JSON:
        """The view as payloads and answers carry it."""
        return self.json | {"state": {"values": self.typed}}

    def fill(self, values: Mapping[str, Any], channels: Collection[str], users: Collection[str]) -> None:
        """Types or picks, by action id. Raises NotOffered."""
        inputs = {block["element"]["action_id"]: block for block in self.json["blocks"] if block["type"] == "input"}
        for action_id, value in values.items():
            if action_id not in inputs:
                raise NotOffered(f"no input called {action_id}")
            block = inputs[action_id]
            self.typed[block["block_id"]][action_id] = picked(block["element"], value, channels, users)

    def response_channels(self) -> list[JSON]:
        """Where a person lets the app answer, by their choice in an input with `response_url_enabled`."""
        found = []
        for block in self.json["blocks"]:
            element = block.get("element", {})
            if element.get("response_url_enabled"):
                chosen = self.typed[block["block_id"]][element["action_id"]]["selected_conversation"]
                if chosen:
                    ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
                    found.append({**ids, "channel_id": chosen})
        return found

    def submittable(self) -> None:
        """Raises NotOffered where Slack would not let a person submit it as it is."""
        if self.json.get("submit") is None or self.json["submit_disabled"]:
            raise NotOffered("the modal has nothing to submit it with")
        for block in self.json["blocks"]:
            if block["type"] == "input" and not block.get("optional"):
                state = self.typed[block["block_id"]][block["element"]["action_id"]]
                if not any(content for name, content in state.items() if name != "type"):
                    raise NotOffered(f"the input {block['element']['action_id']} must be filled in")


class Views:
    """State, and the events of its changes. What Slack's error codes are for is refused with them."""

    def __init__(self, workspaces: Workspaces, events: Events) -> None:
        self._workspaces = workspaces
        self._events = events
        self.modals: dict[str, View] = {}
        """By user: the one in front of them."""
        self.homes: dict[str, View] = {}
        """By user: what was last published for them."""

    def find(self, view_id: object = None, external_id: object = None, team: str | None = None) -> View:
        """Of any workspace, or of `team`. Raises Refused `not_found`."""
        for view in self._all():
            of_team = team in (None, view.json["team_id"])
            if of_team and (view.json["id"] == view_id or (external_id and view.json["external_id"] == external_id)):
                return view
        raise Refused("not_found")

    def open(self, user: str, view: JSON, channel: str | None) -> JSON:
        """As the only modal: what was open before is gone. Raises Refused."""
        self._external_id_is_new(view, user)
        self.modals[user] = self._view(user, view, channel)
        self.changed(self.modals[user])
        return self.modals[user].as_json()

    def publish(self, user: str, view: JSON) -> JSON:
        """As what stands in the person's Home tab from now on. Raises Refused."""
        if user in self.homes:
            return self.update(self.homes[user], view)
        self._external_id_is_new(view, user)
        self.homes[user] = self._view(user, view, None)
        self.changed(self.homes[user])
        return self.homes[user].as_json()

    def update(self, view: View, new: JSON) -> JSON:
        """What was typed stays in inputs whose block id and action id stay. Raises Refused.

        https://docs.slack.dev/surfaces/modals#updating_views
        """
        if new.get("external_id", "") != view.json["external_id"]:
            self._external_id_is_new(new, view.user)
        fresh = self._view(view.user, new, view.channel)
        for block_id, inputs in fresh.typed.items():
            for action_id, value in inputs.items():
                before = view.typed.get(block_id, {}).get(action_id)
                if before is not None and before["type"] == value["type"]:
                    inputs[action_id] = before
        view.json = fresh.json | {name: view.json[name] for name in ("id", "root_view_id")}
        view.typed, view.errors = fresh.typed, {}
        self.changed(view)
        return view.as_json()

    def close(self, view: View) -> None:
        self.modals.pop(view.user, None)
        self._events.emit("view", user=view.user, view=None, errors={})

    def changed(self, view: View) -> None:
        kind = "home" if view.json["type"] == "home" else "view"
        self._events.emit(kind, user=view.user, view=view.as_json(), errors=view.errors)

    def _all(self) -> Iterator[View]:
        yield from self.modals.values()
        yield from self.homes.values()

    def _external_id_is_new(self, view: JSON, user: str) -> None:
        """https://docs.slack.dev/reference/methods/views.open: "must be unique for all views on a team"."""
        external_id, team = view.get("external_id"), self._workspaces.users[user].team
        if external_id and any(
            each.json["external_id"] == external_id and each.json["team_id"] == team for each in self._all()
        ):
            raise Refused("duplicate_external_id")

    def _view(self, user: str, view: JSON, channel: str | None) -> View:
        team = self._workspaces.users[user].team
        view_id = f"V0{secrets.token_hex(5).upper()}"
        blocks = with_ids(view["blocks"])
        full = {
            "id": view_id,
            "team_id": team,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            "submit_disabled": False,
            "root_view_id": view_id,
            "previous_view_id": None,
            "app_id": APP_ID,
            "app_installed_team_id": team,
            "bot_id": self._workspaces.bot_id(team),
            "hash": f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}",
            **view,
            "blocks": blocks,
        }
        return View(user, full, channel, initial_state(blocks, channel))
