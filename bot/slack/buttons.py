"""What there is to press under an answer, and what each button carries. Pure.

A press may reach any worker, also one of another version, and an ephemeral message comes without its blocks: all that
is needed to go on stands in the button's value. An option of a menu holds 150 characters, too few for a draft: the
tone is picked in a menu, and the button beside it carries the draft and finds the tone in the payload's `state`.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.slack import wording
from bot.slack.text import Origin, Rewrite, size
from bot.verdict import Label, Tone, Verdict, one_line

Element = dict[str, Any]
"""A button or menu as Block Kit has it."""

MAX_VALUE = 2_000
"""What a button can carry, in UTF-16 units or in bytes: Slack does not say which, so both keep to it."""
MAX_OPTION = 150
"""What an option of a menu can carry, likewise."""

ANOTHER_VERSION, EDIT_DRAFT, USE_REWRITE, PICK_TONE = "another_version", "edit_draft", "use_rewrite", "tone"
VOTE, HELPFUL, NOT_HELPFUL = "vote", "helpful", "not_helpful"
KEEP_TEXT, KEEP_NOTHING = "keep_text", "keep_nothing"


_WHERE = ("channel_id", "channel_name", "thread_ts", "ts")


@dataclass(frozen=True)
class Asked:
    """What a person asked to have checked; a button carries it on.

    `draft` is Slack's mrkdwn as it came in. `previous` is the beginning of the rewrite they have seen, with the
    placeholders that the model left in it. `channel_id`, with its name as a command tells it, and `thread_ts` say where
    an answer is for, where that is known; `ts` is of a message that is out. With `picks` the composer asks where to.
    """

    draft: str
    tone: Tone = Tone.PLAYFUL
    context: str | None = None
    origin: Origin = Origin.DRAFT
    previous: str = ""
    channel_id: str = ""
    channel_name: str = ""
    thread_ts: str = ""
    ts: str = ""
    picks: bool = False

    def packed(self) -> str:
        """As a button's value; of `previous` as much as fits."""
        previous = self.previous
        while True:
            said = {name: value for name, value in asdict(self).items() if value not in ("", False)}
            packed = compact(said | {"previous": previous})
            if size(packed) <= MAX_VALUE or not previous:
                return packed
            previous = previous[: len(previous) * 3 // 4]

    @classmethod
    def unpack(cls, value: str) -> "Asked | None":
        """What a button of any version carries: the default for what is not there or not known, None without one."""
        read = _read(value)
        draft, context, previous = (read.get(name) for name in ("draft", "context", "previous"))
        if not isinstance(draft, str) or not draft:
            return None
        origin = Origin.OTHERS if read.get("own") is False else Origin.DRAFT
        return cls(
            draft,
            tone_of(read.get("tone")) or Tone.PLAYFUL,
            context if isinstance(context, str) else None,
            next((each for each in Origin if each == read.get("origin")), origin),
            previous if isinstance(previous, str) else "",
            **{name: str(read.get(name) or "") for name in _WHERE},  # type: ignore[arg-type]  # all of them are strings
        )


@dataclass(frozen=True)
class Ballot:
    """What a vote on an answer carries. `check` is the answer's name, in the records too where there are any.

    `draft` is what the author may be asked to give with the vote, as they typed it; nothing where they won't be.
    """

    check: str
    label: str = ""
    model: str = ""
    version: str = ""
    draft: str = ""
    helpful: bool = True

    @classmethod
    def on(cls, verdict: Verdict, check: str, draft: str = "") -> "Ballot":
        model, version = (one_line(each or "-") for each in (verdict.model, verdict.version))
        return cls(check, verdict.label.value, model, version, draft)

    def packed(self, most: int = MAX_VALUE) -> str:
        """As a value of at most `most`: the names of the model and its version, which the log tells, are cut to fit."""
        ballot = replace(self, model=self.model[:75], version=self.version[:20])
        while size(packed := compact(asdict(ballot))) > most and (ballot.model or ballot.version):
            ballot = replace(ballot, model=ballot.model[:-1], version=ballot.version if ballot.model else "")
        return packed

    @classmethod
    def unpack(cls, value: str) -> "Ballot | None":
        """What a vote of any version carries; nothing without the name of an answer."""
        read = _read(value)
        words = {name: read[name] for name in ("check", "label", "model", "version", "draft") if name in read}
        if "check" not in words or not all(isinstance(each, str) for each in words.values()):
            return None
        return cls(**words, helpful=read.get("helpful") is not False)


def tone_of(value: object) -> Tone | None:
    return next((tone for tone in Tone if tone == value), None)


def answer_buttons(asked: Asked, verdict: Verdict, rewrite: Rewrite | None) -> list[Element]:
    """At most three things to press, each only where it can give something."""
    pressable = []
    if rewrite:
        asked = replace(asked, previous=verdict.rewrite or "")
        # The offline check has one version in a tone: there the button is for the tone that is picked.
        label = wording.SAY_IT if verdict.offline else wording.ANOTHER_VERSION
        pressable += [_button(label, ANOTHER_VERSION, asked.packed()), tone_menu(asked.tone)]
    if asked.origin is not Origin.OTHERS and verdict.label is Label.CAUTION:
        pressable.append(edit_button(asked))
    return pressable


def retry_buttons(asked: Asked) -> list[Element]:
    """Under what went wrong."""
    if not asked.draft:
        return []
    again = _button(wording.TRY_AGAIN, ANOTHER_VERSION, asked.packed())
    return [again] if asked.origin is Origin.OTHERS else [again, edit_button(asked)]


def edit_button(asked: Asked) -> Element:
    return _button(wording.EDIT, EDIT_DRAFT, replace(asked, previous="").packed())


def use_button() -> Element:
    """Carries nothing: the rewrite is read from the view it stands in."""
    return _button(wording.USE_REWRITE, USE_REWRITE) | {"style": "primary"}


def tone_menu(tone: Tone) -> Element:
    options = {each: {"text": _plain(wording.in_a_tone(each)), "value": each.value} for each in Tone}
    return {
        "type": "static_select",
        "action_id": PICK_TONE,
        "placeholder": _plain(wording.TONE_LABEL),
        "options": list(options.values()),
        "initial_option": options[tone],
    }


def picked_tone(body: dict[str, Any]) -> Tone | None:
    """The tone that the menu beside a pressed button shows."""
    state = (body.get("view") or body).get("state") or {}
    for block in state.get("values", {}).values():
        option = block.get(PICK_TONE, {}).get("selected_option") or {}
        if tone := tone_of(option.get("value")):
            return tone
    return None


def vote_menu(ballot: Ballot) -> Element:
    """Shows what was voted, and takes another vote."""
    return {
        "type": "static_select",
        "action_id": VOTE,
        "placeholder": _plain(wording.WAS_IT_HELPFUL),
        "options": [
            {
                "text": _plain(words),
                "value": replace(ballot, draft="", helpful=helpful).packed(MAX_OPTION),
            }
            for helpful, words in ((True, wording.HELPFUL_OPTION), (False, wording.NOT_HELPFUL_OPTION))
        ],
    }


def vote_buttons(ballot: Ballot) -> list[Element]:
    """For a ballot with a draft, which does not fit an option of a menu."""
    return [
        _button(thumb, action_id, replace(ballot, helpful=helpful).packed()) | {"accessibility_label": spoken}
        for helpful, action_id, thumb, spoken in (
            (True, HELPFUL, wording.THUMB_UP, wording.HELPFUL),
            (False, NOT_HELPFUL, wording.THUMB_DOWN, wording.NOT_HELPFUL),
        )
    ]


def keep_buttons(ballot: Ballot) -> list[Element]:
    """May the draft be kept with the vote?"""
    return [_button(wording.KEEP_IT, KEEP_TEXT, ballot.packed()), _button(wording.NO_THANKS, KEEP_NOTHING)]


def can_carry(row: list[Element]) -> bool:
    """Whether Slack takes what the buttons carry."""
    return all(size(each.get("value", "")) <= MAX_VALUE for each in row)


def _button(label: str, action_id: str, value: str = "") -> Element:
    carried = {"value": value} if value else {}
    return {"type": "button", "action_id": action_id, "text": _plain(label), **carried}


def _plain(text: str) -> Element:
    return {"type": "plain_text", "text": text}


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def carried(value: str) -> object:
    """What a value holds; None where it can't be read."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _read(value: str) -> dict[str, Any]:
    read = carried(value)
    return read if isinstance(read, dict) else {}
