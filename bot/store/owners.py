"""Whose something is: a workspace, or a person in it, as Slack's ids name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Workspace:
    """Where Angel is installed: one workspace, or with `whole_organisation` every one of an Enterprise organisation."""

    enterprise_id: str | None
    team_id: str | None
    whole_organisation: bool = False

    @property
    def row_team_id(self) -> str | None:
        """What stands in a row's `team_id`: nothing, where the organisation installed it for all its workspaces."""
        return None if self.whole_organisation else self.team_id

    @property
    def key(self) -> str:
        return f"{self.enterprise_id or ''}:{self.row_team_id or ''}"


@dataclass(frozen=True)
class Person:
    """Somebody in a workspace."""

    workspace: Workspace
    user_id: str


def person_of(body: Mapping[str, Any]) -> Person:
    """Who a payload of Slack's comes from: a command's form, or the JSON of a shortcut, an action, a view or an event.

    Slack says `is_enterprise_install` as a word in a command and as a boolean elsewhere; in an event the installation
    stands in `authorizations`.
    """
    authorization = (body.get("authorizations") or [{}])[0]
    team, enterprise, user = body.get("team"), body.get("enterprise"), body.get("user")
    event = body.get("event") or {}
    workspace = Workspace(
        _id(enterprise) or body.get("enterprise_id") or authorization.get("enterprise_id"),
        _id(team) or body.get("team_id") or authorization.get("team_id"),
        str(body.get("is_enterprise_install", authorization.get("is_enterprise_install"))).lower() == "true",
    )
    return Person(workspace, str(_id(user) or body.get("user_id") or _id(event.get("user")) or ""))


def _id(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and value else None
