"""What the body of an ack asks Slack to do: https://docs.slack.dev/interactivity/handling-user-interaction"""

from bot.local_slack.chat import Chat
from bot.local_slack.delivery import Delivery
from bot.local_slack.errors import Refused
from bot.local_slack.events import JSON
from bot.local_slack.view_methods import checked_view
from bot.local_slack.views import View, Views


class Acks:
    """Does it."""

    def __init__(self, chat: Chat, views: Views) -> None:
        self._chat = chat
        self._views = views

    def honour(self, delivery: Delivery) -> None:
        """Raises Refused where Slack can't make sense of it."""
        answer = delivery.answer
        if delivery.kind == "slash_commands" and answer:
            message = {"text": answer} if isinstance(answer, str) else answer
            if not isinstance(message, dict):
                raise Refused("invalid_command_response")
            assert delivery.channel is not None
            self._chat.show_ack(delivery.user, delivery.channel, message)
        elif delivery.kind == "view_submission":
            self._submitted(self._views.find(delivery.payload["view"]["id"]), answer or {})

    def _submitted(self, view: View, answer: JSON) -> None:
        if not isinstance(answer, dict):
            raise Refused("invalid_response")
        match answer.get("response_action"):
            case None if not answer:
                self._views.close(view)
            case "clear":
                self._views.close(view)
            case "update":
                self._views.update(view, checked_view(answer.get("view")))
            case "errors":
                errors = answer.get("errors")
                inputs = {block["block_id"] for block in view.json["blocks"] if block["type"] == "input"}
                if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
                    raise Refused("invalid_errors")
                view.errors = errors
                self._views.changed(view)
            case _:
                raise Refused("invalid_response_action")
