"""What an app answers with: messages and views, checked as Slack checks them, in acks and through a response_url."""

from typing import Any

from bot.local_slack.delivery import Delivery
from bot.local_slack.errors import Refused, refused_because
from bot.local_slack.events import JSON
from bot.local_slack.grants import Grants, ResponseUrl
from bot.local_slack.limits import MAX_TEXT, message_problems, message_too_long, view_problems, view_too_large
from bot.local_slack.workspace import APP_ID, BOT, BOT_ID, Modal, Workspace, named

FROM_APP = {"user": BOT.id, "bot_id": BOT_ID, "app_id": APP_ID}


def checked_message(args: JSON, *, cut: bool = False) -> JSON:
    """`text` and `blocks`; with `cut` a text that is too long is cut off. Raises Refused."""
    text, blocks = args.get("text") or "", args.get("blocks") or []
    if not isinstance(text, str):
        raise Refused("invalid_arguments")
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if not text and not blocks:
        raise Refused("no_text")
    if len(text) > MAX_TEXT:
        if not cut:
            raise Refused("msg_too_long")
        text = text[:MAX_TEXT]
    if problems := message_problems(blocks):
        raise refused_because("invalid_blocks", problems)
    if message_too_long(blocks):
        raise Refused("msg_blocks_too_long")
    return {"text": text} | ({"blocks": named(blocks)} if blocks else {})


def checked_view(view: object) -> JSON:
    """Raises Refused."""
    if view_too_large(view):
        raise Refused("view_too_large")
    problems = view_problems(view)
    if problems or not isinstance(view, dict):
        raise refused_because("invalid_arguments", problems)
    return view


def respond(workspace: Workspace, grant: ResponseUrl, answer: JSON) -> None:
    """A message where the interaction was, or a change of the one it came from. Raises Refused."""
    original = grant.original or ""
    try:
        if answer.get("delete_original"):
            workspace.delete(grant.user, grant.channel, original)
            return
        body = checked_message(answer, cut=True)
        if answer.get("replace_original") and original:
            workspace.replace(grant.user, grant.channel, original, body)
            return
    except KeyError:
        raise Refused("message_not_found") from None
    if answer.get("response_type", "ephemeral") == "in_channel":
        message = workspace.post(grant.channel, FROM_APP | body)
    else:
        message = workspace.show(grant.user, grant.channel, FROM_APP | body)
    grant.original = grant.original or message["ts"]


def honour(delivery: Delivery, workspace: Workspace, grants: Grants) -> None:
    """Does what the app's ack asks for. Raises Refused where Slack can't make sense of it."""
    answer = delivery.answer
    if delivery.kind == "slash_commands" and answer:
        message = {"text": answer} if isinstance(answer, str) else answer
        if not isinstance(message, dict):
            raise Refused("invalid_command_response")
        respond(workspace, grants.valid_url(delivery.payload["response_url"].rpartition("/")[2]), message)
    elif delivery.kind == "view_submission":
        user, modal = workspace.modal(delivery.payload["view"]["id"])
        _honour_submission(workspace, user, modal, answer or {})


def _honour_submission(workspace: Workspace, user: str, modal: Modal, answer: Any) -> None:
    if not isinstance(answer, dict):
        raise Refused("invalid_response")
    match answer.get("response_action"):
        case None if not answer:
            workspace.close(user, modal)
        case "clear":
            workspace.clear(user)
        case "update":
            workspace.update(user, modal, checked_view(answer.get("view")))
        case "push":
            workspace.push(user, checked_view(answer.get("view")), modal.channel)
        case "errors":
            errors = answer.get("errors")
            inputs = {block["block_id"] for block in modal.view["blocks"] if block["type"] == "input"}
            if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
                raise Refused("invalid_errors")
            modal.errors = errors
            workspace.changed(user)
        case _:
            raise Refused("invalid_response_action")
