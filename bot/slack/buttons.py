"""What each button carries and what it is called. Pure.

A press may reach any worker, also one of another version, and an ephemeral message comes without its blocks: all that
is needed to go on stands in the button's value.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.slack import wording
from bot.slack.text import clipped
from bot.verdict import Tone, Verdict, one_line

Button = dict[str, Any]
"""A button as Block Kit has it."""

MAX_VALUE = 2_000
"""Characters that a button can carry."""
MAX_MODEL, MAX_VERSION = 75, 20

ANOTHER_VERSION, EDIT_DRAFT, USE_REWRITE = "another_version", "edit_draft", "use_rewrite"
TONE_PREFIX = "tone_"
HELPFUL, NOT_HELPFUL = "helpful", "not_helpful"
KEEP_TEXT, KEEP_NOTHING = "keep_text", "keep_nothing"


@dataclass(frozen=True)
class Asked:
    """What a button needs to carry on, whichever worker gets it.

    `draft` is Slack's mrkdwn as it came in, `uses` how often this answer was written, `since` when it first was
    (seconds since the epoch), `seen` a digest of the rewrite in it. `own` says whether who asks wrote the draft.
    """

    draft: str
    tone: Tone = Tone.PLAYFUL
    context: str | None = None
    uses: int = 0
    since: int = 0
    seen: str = ""
    own: bool = False

    def packed(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def unpack(cls, value: str) -> "Asked":
        carried = json.loads(value)
        return cls(**carried | {"tone": Tone(carried["tone"])})


@dataclass(frozen=True)
class Checked:
    """What a vote on an answer carries. `check` is its name in the records, nothing where none are kept.

    `draft` is what the author may be asked to give with the vote, as they typed it; nothing where they won't be.
    """

    check: str
    label: str
    model: str
    version: str
    draft: str = ""

    @classmethod
    def of(cls, verdict: Verdict, check: str, draft: str) -> "Checked":
        model, version = (one_line(each or "-") for each in (verdict.model, verdict.version))
        return cls(check, verdict.label.value, clipped(model, MAX_MODEL), clipped(version, MAX_VERSION), draft)

    def packed(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def unpack(cls, value: str) -> "Checked":
        return cls(**json.loads(value))


def check_buttons(asked: Asked) -> list[Button]:
    """Another version, each of the other tones, and the composer."""
    others = [tone for tone in Tone if tone is not asked.tone]
    return [
        _button(wording.ANOTHER_VERSION, ANOTHER_VERSION, asked.packed()),
        *(_button(wording.tone_name(tone), f"{TONE_PREFIX}{tone}", asked.packed()) for tone in others),
        edit_button(asked),
    ]


def again_button(asked: Asked) -> Button:
    return _button(wording.TRY_AGAIN, ANOTHER_VERSION, asked.packed())


def edit_button(asked: Asked) -> Button:
    return _button(wording.EDIT, EDIT_DRAFT, asked.packed())


def use_button() -> Button:
    """Carries nothing: the rewrite is read from the view it stands in."""
    return _button(wording.USE_REWRITE, USE_REWRITE) | {"style": "primary"}


def vote_buttons(checked: Checked) -> list[Button]:
    return [
        _button(thumb, action_id, checked.packed()) | {"accessibility_label": spoken}
        for action_id, thumb, spoken in (
            (HELPFUL, wording.THUMB_UP, wording.HELPFUL),
            (NOT_HELPFUL, wording.THUMB_DOWN, wording.NOT_HELPFUL),
        )
    ]


def keep_buttons(checked: Checked) -> list[Button]:
    """May the draft be kept with the vote?"""
    return [_button(wording.KEEP_IT, KEEP_TEXT, checked.packed()), _button(wording.NO_THANKS, KEEP_NOTHING)]


def can_carry(row: Sequence[Button]) -> bool:
    """Whether what the buttons carry is within Slack's size."""
    return all(len(button.get("value", "")) <= MAX_VALUE for button in row)


def _button(label: str, action_id: str, value: str = "") -> Button:
    carried = {"value": value} if value else {}
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": label}, **carried}
