"""The modals: the composer, and an answer that has no other place; what they hold, and what Slack sends back. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from bot.slack import wording
from bot.slack.blocks import MAY_I, REWRITE, VOTES, Answer, Block, label, row_of, text_sections
from bot.slack.buttons import Asked, Element, tone_of
from bot.slack.text import size
from bot.verdict import MAX_CONTEXT, Tone

MAX_INPUT = 3_000
"""What an input of a modal can hold."""

COMPOSER, VERDICT_VIEW = "composer", "verdict"
DRAFT, TONE, CONTEXT, WHERE = "draft", "tone", "context", "where"

View = dict[str, Any]


def verdict_view(answer: Answer) -> View:
    """The modal of a message in a thread, where Slack can't place an ephemeral answer."""
    return {
        "type": "modal",
        "callback_id": VERDICT_VIEW,
        "title": label(wording.TITLE),
        "close": label(wording.DONE),
        "blocks": list(answer.blocks) or text_sections(answer.text),
    }


def composer_view(asked: Asked, *, above: Answer | None = None, version: int = 1) -> View:
    """The composer, with what is `asked` in it as plain text, and `above` it what there is to say.

    Slack keeps what somebody typed as long as the input's ids stay; another `version` lets the draft replace it.
    """
    tones = {tone: {"text": label(wording.tone_name(tone)), "value": tone.value} for tone in Tone}
    return {
        "type": "modal",
        "callback_id": COMPOSER,
        "title": label(wording.COMPOSER_TITLE),
        "submit": label(wording.CHECK),
        "close": label(wording.DONE),
        "private_metadata": json.dumps(
            {"version": version, **({"thread": [asked.channel_id, asked.thread_ts]} if asked.thread_ts else {})}
        ),
        "blocks": [
            *((above.blocks or text_sections(above.text)) if above else ()),
            {
                "type": "input",
                "block_id": draft_block(version),
                "label": label(wording.DRAFT_LABEL),
                "element": {
                    "type": "plain_text_input",
                    "action_id": DRAFT,
                    "multiline": True,
                    "max_length": MAX_INPUT,
                    "placeholder": label(wording.DRAFT_PLACEHOLDER),
                    **({"initial_value": asked.draft} if asked.draft and can_hold(asked.draft) else {}),
                },
            },
            {
                "type": "input",
                "block_id": TONE,
                "label": label(wording.TONE_LABEL),
                "element": {
                    "type": "static_select",
                    "action_id": TONE,
                    "options": list(tones.values()),
                    "initial_option": tones[asked.tone],
                },
            },
            {
                "type": "input",
                "block_id": CONTEXT,
                "optional": True,
                "label": label(wording.CONTEXT_LABEL),
                "element": {
                    "type": "plain_text_input",
                    "action_id": CONTEXT,
                    "max_length": MAX_CONTEXT,
                    "placeholder": label(wording.CONTEXT_PLACEHOLDER),
                    **({"initial_value": asked.context} if asked.context else {}),
                },
            },
            *([_where(asked)] if asked.picks else []),
        ],
    }


def _where(asked: Asked) -> Block:
    """Where to send it from the composer; whoever picks nothing copies it."""
    begins = (
        {"initial_conversation": asked.channel_id} if asked.channel_id else {"default_to_current_conversation": True}
    )
    return {
        "type": "input",
        "block_id": WHERE,
        "optional": True,
        "label": label(wording.WHERE_LABEL),
        "element": {"type": "conversations_select", "action_id": WHERE, **begins},
    }


def can_hold(draft: str) -> bool:
    """Whether the composer's input takes it."""
    return size(draft) <= MAX_INPUT


def draft_block(version: int) -> str:
    return f"{DRAFT}-{version}"


def typed(view: View) -> Asked:
    """What stands in a composer: draft, tone and context, as plain text."""
    inputs = {action_id: value for block in view["state"]["values"].values() for action_id, value in block.items()}
    option = inputs[TONE].get("selected_option") or {}
    picked = inputs.get(WHERE, {}).get("selected_conversation") or ""
    channel_id, thread_ts = json.loads(view["private_metadata"]).get("thread") or (picked, "")
    return Asked(
        inputs[DRAFT].get("value") or "",
        tone_of(option.get("value")) or Tone.PLAYFUL,
        inputs[CONTEXT].get("value"),
        channel_id=channel_id,
        thread_ts=thread_ts,
        picks=WHERE in inputs,
    )


def version_of(view: View) -> int:
    """Which version of its draft a composer holds."""
    return int(json.loads(view["private_metadata"])["version"])


def shown_rewrite(view: View) -> str:
    """The rewrite that stands in a view, as plain text; nothing where there is none."""
    return "".join(
        element.get("text") or element.get("url") or _emoji(element)
        for block in view["blocks"]
        if block.get("block_id") == REWRITE
        for part in block["elements"]
        for element in part["elements"]
    )


def view_after_vote(view: View, said: str, buttons: Sequence[Element] = ()) -> View:
    """A view that Slack sent, to send back with what is `said` of a vote where the votes stood."""
    blocks: list[Block] = []
    for block in view["blocks"]:
        block_id = block.get("block_id", "")
        if block_id.startswith(VOTES):
            words = {"type": "section", "text": {**label(said), "emoji": False}, "block_id": block_id}
            blocks += [words, *row_of(buttons, MAY_I)]
        elif block_id != MAY_I:
            blocks.append(block)
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    return {**{key: view[key] for key in kept if view.get(key)}, "blocks": blocks}


def _emoji(element: Element) -> str:
    if element["type"] != "emoji":
        return ""
    return f":{element['name']}:" + (f":skin-tone-{element['skin_tone']}:" if "skin_tone" in element else "")
