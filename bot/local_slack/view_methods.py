"""The `views.` methods."""

from bot.local_slack.app import App
from bot.local_slack.errors import Refused, given, refused_because
from bot.local_slack.events import JSON
from bot.local_slack.grants import Grants
from bot.local_slack.installations import Token
from bot.local_slack.surfaces import view_problems, view_too_large
from bot.local_slack.views import Views
from bot.local_slack.workspaces import Workspaces


class ViewMethods:
    """Each answers a call, or raises Refused."""

    def __init__(self, app: App, workspaces: Workspaces, views: Views, grants: Grants) -> None:
        self._app = app
        self._workspaces = workspaces
        self._views = views
        self._grants = grants

    def open(self, token: Token, args: JSON) -> JSON:
        # The documentation does not say whether a trigger survives a view that is refused: here it does not.
        trigger = self._grants.exchange(given(args, "trigger_id"))
        if not self._reaches(token, self._workspaces.users[trigger.user].team):
            raise Refused("invalid_trigger_id")
        return {"view": self._views.open(trigger.user, checked_view(args.get("view")), trigger.channel)}

    def update(self, token: Token, args: JSON) -> JSON:
        if args.get("view_id") and args.get("external_id"):
            raise refused_because("invalid_arguments", ["Cannot provide both `view_id` and `external_id`"])
        team = None if token.org_wide else token.team
        view = self._views.find(args.get("view_id"), args.get("external_id"), team)
        new = checked_view(args.get("view"), view.json["type"])
        if args.get("hash") and args["hash"] != view.json["hash"]:
            raise Refused("hash_conflict")
        return {"view": self._views.update(view, new)}

    def publish(self, token: Token, args: JSON) -> JSON:
        user = self._workspaces.users.get(str(given(args, "user_id")))
        if user is None or user.is_bot or not self._reaches(token, user.team):
            raise Refused("invalid_arguments", response_metadata={"messages": ["invalid `user_id`"]})
        if not self._app.has_home:
            raise Refused("not_enabled")
        view = checked_view(args.get("view"), "home")
        before = self._views.homes.get(user.id)
        if before and args.get("hash") and args["hash"] != before.json["hash"]:
            raise Refused("hash_conflict")
        return {"view": self._views.publish(user.id, view)}

    @staticmethod
    def _reaches(token: Token, team: str) -> bool:
        return token.org_wide or token.team == team


def checked_view(view: object, kind: str = "modal") -> JSON:
    """`kind` is modal or home. Raises Refused."""
    if view_too_large(view):
        raise Refused("view_too_large")
    problems = view_problems(view, kind)
    if problems or not isinstance(view, dict):
        raise refused_because("invalid_arguments", problems)
    return view
