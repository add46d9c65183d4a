"""The modals: the composer, and an answer that has no other place; what they hold, and what Slack sends back. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from bot.slack import wording
from bot.slack.blocks import MAX_INPUT, MAY_I, REWRITE, VOTES, Answer, Block, label, plain, row_of, small_print
from bot.verdict import MAX_CONTEXT, Tone

COMPOSER, VERDICT_VIEW = "composer", "verdict"
DRAFT, TONE, CONTEXT = "draft", "tone", "context"


def view_after_vote(view: Block, said: str, buttons: Sequence[Block] = ()) -> Block:
    """A view that Slack sent, to send back with what is `said` of a vote where the votes stood."""
    words = plain(said) if buttons else small_print(said)
    blocks: list[Block] = []
    for block in view["blocks"]:
        if block.get("block_id") == VOTES:
            blocks += [{**words, "block_id": VOTES}, *row_of(buttons, MAY_I)]
        elif block.get("block_id") != MAY_I:
            blocks.append(block)
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    return {**{key: view[key] for key in kept if view.get(key)}, "blocks": blocks}


def verdict_view(answer: Answer) -> Block:
    """The modal of a message in a thread, where Slack can't place an ephemeral answer."""
    return {
        "type": "modal",
        "callback_id": VERDICT_VIEW,
        "title": label(wording.TITLE),
        "close": label(wording.DONE),
        "blocks": list(answer.blocks),
    }


def composer_view(
    draft: str = "",
    tone: Tone = Tone.PLAYFUL,
    context: str | None = None,
    *,
    above: Sequence[Block] = (),
    version: int = 1,
    own: bool = True,
) -> Block:
    """The composer, `above` it what there is to say.

    Slack keeps what somebody typed as long as the input's ids stay; another `version` lets `draft` replace it. `own`
    says whether it began with words of the person who sees it.
    """
    tones = [{"text": label(wording.tone_name(tone)), "value": tone.value} for tone in Tone]
    return {
        "type": "modal",
        "callback_id": COMPOSER,
        "title": label(wording.COMPOSER_TITLE),
        "submit": label(wording.CHECK),
        "close": label(wording.DONE),
        "private_metadata": json.dumps({"version": version, "own": own}),
        "blocks": [
            *above,
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
                    **({"initial_value": draft[:MAX_INPUT]} if draft else {}),
                },
            },
            {
                "type": "input",
                "block_id": TONE,
                "label": label(wording.TONE_LABEL),
                "element": {
                    "type": "static_select",
                    "action_id": TONE,
                    "options": tones,
                    "initial_option": next(option for option in tones if option["value"] == tone),
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
                    **({"initial_value": context} if context else {}),
                },
            },
        ],
    }


def draft_block(version: int) -> str:
    return f"{DRAFT}-{version}"


def shown_rewrite(blocks: Sequence[Block]) -> str:
    """The rewrite that stands in the blocks of a view, as plain text; nothing where there is none."""
    return "".join(
        element.get("text") or element.get("url", "")
        for block in blocks
        if block.get("block_id") == REWRITE
        for part in block["elements"]
        for element in part["elements"]
    )


def typed(view: dict[str, Any]) -> tuple[str, Tone, str | None]:
    """What stands in a composer: draft, tone and context."""
    inputs = {action_id: value for block in view["state"]["values"].values() for action_id, value in block.items()}
    return (
        inputs[DRAFT].get("value") or "",
        Tone(inputs[TONE]["selected_option"]["value"]),
        inputs[CONTEXT].get("value"),
    )


def began(view: dict[str, Any]) -> tuple[int, bool]:
    """How a composer began: its version, and whether with words of the person who sees it."""
    metadata = json.loads(view["private_metadata"])
    return metadata["version"], metadata["own"]
