"""What Angel says, as Slack shows it: a Verdict becomes Block Kit, within Slack's sizes whatever it holds. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.slack.text import Entity, Rewrite, Written, escape
from bot.verdict import MAX_CONTEXT, MAX_DRAFT, Fallback, Label, Tone, Verdict, one_line

Block = dict[str, Any]

MAX_MESSAGE = 13_000
"""Characters of all blocks of a message as JSON; Slack refuses somewhat more than that."""
MAX_VALUE = 2_000
"""Characters that a button can carry."""
MAX_INPUT = 3_000
"""Characters that an input of a modal can hold."""
MAX_TEXT = 12_000
"""Characters of top-level text; Slack cuts at 40,000, and nobody has more than a message read to them."""
MAX_FINDINGS = 5
MAX_EXCERPT, MAX_REASON = 120, 240
MAX_PARTICULARS = 6
MAX_MODEL, MAX_VERSION = 75, 20

ANOTHER_VERSION, EDIT_DRAFT, USE_REWRITE = "another_version", "edit_draft", "use_rewrite"
TONE_PREFIX = "tone_"
HELPFUL, NOT_HELPFUL = "helpful", "not_helpful"
KEEP_TEXT, KEEP_NOTHING = "keep_text", "keep_nothing"
COMPOSER, VERDICT_VIEW = "composer", "verdict"
DRAFT, TONE, CONTEXT, REWRITE = "draft", "tone", "context", "rewrite"
VOTES, MAY_I = "votes", "may_i"

ONLY_YOU = "Only you can see this"
FALLBACK_SENTENCES = {
    Fallback.LATE: "My chat model took too long over this one, so my offline check stood in.",
    Fallback.FAILED: "My chat model stumbled over this one, so my offline check stood in.",
    Fallback.MISCONFIGURED: "My chat model isn't set up right, so my offline check stood in. My log says what to fix.",
    Fallback.UNAVAILABLE: "My chat model can't be reached just now, so my offline check stood in.",
    Fallback.UNREADABLE: "My chat model's answer made no sense to me, so my offline check stood in.",
    Fallback.REFUSED: "My chat model would rather not read this one, so my offline check stood in.",
    Fallback.CUT_OFF: "My chat model ran out of breath halfway, so my offline check stood in.",
    Fallback.FILTERED: "A content filter kept my chat model's answer back, so my offline check stood in.",
    Fallback.EMPTY: "My chat model had nothing to say, so my offline check stood in.",
}
NO_REWRITE = "I have no rewrite for this one. Saying what you need, without the aside, usually does it."
SAME_AGAIN = "These are the same words as before: it's the one version I have in this tone."
TOO_LONG_FOR_BUTTONS = "Too long for buttons, this one. For another version, run /angel again or use Write with Angel."
NO_MORE_USES = "That's as many versions as fit in this answer. Go on in the composer, or run /angel again."


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
        return cls(check, verdict.label.value, _clip(model, MAX_MODEL), _clip(version, MAX_VERSION), draft)

    def packed(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def unpack(cls, value: str) -> "Checked":
        return cls(**json.loads(value))


@dataclass(frozen=True)
class Answer:
    """`text` is what screen readers and notifications say, `blocks` what is seen."""

    text: str
    blocks: Sequence[Block]


def verdict_answer(
    verdict: Verdict,
    written: Written,
    *,
    offline_note: str,
    buttons: Sequence[Sequence[Block]] = (),
    notes: Sequence[str] = (),
    checked: Checked | None = None,
) -> Answer:
    """A verdict. Of `buttons`, rows from the longest to the shortest, the first that fits is taken.

    Votes are on `checked`; where its draft does not fit they do without it.
    """
    rewrite = written.restore(verdict.rewrite[:MAX_DRAFT]) if verdict.rewrite else None
    if rewrite and not rewrite.hinted.strip():
        rewrite = None
    sentence = _mrkdwn(f"*{verdict.sentence}*")
    findings = _findings(verdict, written)
    if rewrite:
        forms = [_rewrite(rewrite.parts), _rewrite((rewrite.hinted,))]
        notes = [*_differences(rewrite), *notes]
    elif verdict.label is Label.CAUTION:
        forms = [[_plain(_clip(written.quoted(verdict.tip or ""), MAX_INPUT) or NO_REWRITE)]]
    else:
        forms = [[]]
    small_print = _context(
        f"{_checked_by(verdict, written)} · {ONLY_YOU}",
        *([FALLBACK_SENTENCES[verdict.fallback]] if verdict.fallback else []),
        *([offline_note] if verdict.offline and offline_note else []),
    )
    rows = [row for row in (*buttons, ()) if _carried(row)]
    ballots = [_votes(checked), _votes(replace(checked, draft=""))] if checked else [[]]
    ballots = [votes for votes in ballots if _carried(votes)]
    candidates = (
        [
            sentence,
            *found,
            *form,
            *_notes(notes, cut=len(row) < len(buttons[0]) if buttons else False),
            *_row(row),
            small_print,
            *_row(votes, VOTES),
        ]
        for found in (findings, [])
        for form in forms
        for row in rows
        for votes in ballots
    )
    return Answer(
        _spoken(verdict, rewrite), next(filter(_fits, candidates), [sentence, small_print, *_row(ballots[-1], VOTES)])
    )


def notice(text: str, *, buttons: Sequence[Sequence[Block]] = ()) -> Answer:
    """A sentence of our own; `buttons` as for a verdict. `text` is mrkdwn."""
    candidates = ([_mrkdwn(text), *_row(row)] for row in buttons if _carried(row))
    return Answer(text, next(filter(_fits, candidates), [_mrkdwn(text)]))


def check_buttons(asked: Asked) -> list[Block]:
    """Another version, each of the other tones, and the composer."""
    others = [tone for tone in Tone if tone is not asked.tone]
    return [
        _button("Another version", ANOTHER_VERSION, asked),
        *(_button(tone.capitalize(), f"{TONE_PREFIX}{tone}", asked) for tone in others),
        edit_button(asked),
    ]


def again_button(asked: Asked) -> Block:
    return _button("Try again", ANOTHER_VERSION, asked)


def edit_button(asked: Asked) -> Block:
    return _button("Edit in the composer", EDIT_DRAFT, asked)


def use_button() -> Block:
    """Carries nothing: the rewrite is read from the view it stands in."""
    return {"type": "button", "action_id": USE_REWRITE, "text": _label("Put it into the draft"), "style": "primary"}


def keep_buttons(checked: Checked) -> list[Block]:
    """May the draft be kept with the vote?"""
    return [
        {"type": "button", "action_id": KEEP_TEXT, "text": _label("Keep it"), "value": checked.packed()},
        {"type": "button", "action_id": KEEP_NOTHING, "text": _label("No, thanks")},
    ]


def view_after_vote(view: Block, said: str, buttons: Sequence[Block] = ()) -> Block:
    """A view that Slack sent, to send back with what is `said` of a vote where the votes stood."""
    words = _plain(said) if buttons else _context(said)
    blocks: list[Block] = []
    for block in view["blocks"]:
        if block.get("block_id") == VOTES:
            blocks += [{**words, "block_id": VOTES}, *_row(buttons, MAY_I)]
        elif block.get("block_id") != MAY_I:
            blocks.append(block)
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    return {**{key: view[key] for key in kept if view.get(key)}, "blocks": blocks}


def verdict_view(answer: Answer) -> Block:
    """The modal of a message in a thread, where Slack can't place an ephemeral answer."""
    return {
        "type": "modal",
        "callback_id": VERDICT_VIEW,
        "title": _label("Text Message Angel"),
        "close": _label("Done"),
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
    tones = [{"text": _label(tone.capitalize()), "value": tone.value} for tone in Tone]
    return {
        "type": "modal",
        "callback_id": COMPOSER,
        "title": _label("Write with Angel"),
        "submit": _label("Check"),
        "close": _label("Done"),
        "private_metadata": json.dumps({"version": version, "own": own}),
        "blocks": [
            *above,
            {
                "type": "input",
                "block_id": draft_block(version),
                "label": _label("Your draft"),
                "element": {
                    "type": "plain_text_input",
                    "action_id": DRAFT,
                    "multiline": True,
                    "max_length": MAX_INPUT,
                    "placeholder": _label("Per my last email..."),
                    **({"initial_value": draft[:MAX_INPUT]} if draft else {}),
                },
            },
            {
                "type": "input",
                "block_id": TONE,
                "label": _label("A rewrite should sound"),
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
                "label": _label("Anything I should know?"),
                "element": {
                    "type": "plain_text_input",
                    "action_id": CONTEXT,
                    "max_length": MAX_CONTEXT,
                    "placeholder": _label("To my manager, after a missed deadline"),
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


def _spoken(verdict: Verdict, rewrite: Rewrite | None) -> str:
    if rewrite is None:
        return verdict.sentence
    text = rewrite.mrkdwn if len(rewrite.mrkdwn) <= MAX_TEXT else escape(rewrite.hinted)
    return f"{verdict.sentence} Suggested rewrite:\n{text}"


def _findings(verdict: Verdict, written: Written) -> list[Block]:
    items = []
    for finding in verdict.findings[:MAX_FINDINGS]:
        excerpt = _clip(written.quoted(finding.excerpt), MAX_EXCERPT)
        reason = _clip(written.quoted(finding.reason), MAX_REASON) or finding.category.title
        items.append([{"type": "text", "text": f"“{excerpt}”", "style": {"italic": True}}, _words(f" — {reason}")])
    more = len(verdict.findings) - MAX_FINDINGS
    if more > 0:
        items.append([_words(f"and {more} more like {'it' if more == 1 else 'them'}")])
    sections = [{"type": "rich_text_section", "elements": item} for item in items]
    return [_rich({"type": "rich_text_list", "style": "bullet", "elements": sections})] if sections else []


def _rewrite(parts: Iterable[str | Entity]) -> list[Block]:
    """The rewrite in one piece, to copy with one gesture.

    Slack has a copy button on preformatted text, in which only letters and links can stand; a rewrite with a mention in
    it is a quote, where it stays a mention when copied.
    """
    elements = [_words(part) if isinstance(part, str) else _element(part) for part in parts]
    plain = all(element["type"] in ("text", "link") for element in elements)
    kind = "rich_text_preformatted" if plain else "rich_text_quote"
    return [
        _plain("Suggested rewrite, ready to copy:"),
        {**_rich({"type": kind, "elements": elements}), "block_id": REWRITE},
    ]


def _element(entity: Entity) -> Block:
    """The entity as rich text has it; what rich text has no element for is its hint."""
    target = entity.target
    for pattern, kind, field in (
        (r"@([UW][A-Z0-9]+)", "user", "user_id"),
        (r"#([CDG][A-Z0-9]+)", "channel", "channel_id"),
        (r"!subteam\^(S[A-Z0-9]+)", "usergroup", "usergroup_id"),
        (r"!(here|channel|everyone)", "broadcast", "range"),
        (r"((?:https?://|mailto:)[^\s]{1,2900})", "link", "url"),
    ):
        if match := re.fullmatch(pattern, target):
            label = {"text": entity.label} if kind == "link" and entity.label else {}
            return {"type": kind, field: match[1], **label}
    return _words(entity.hint)


def _differences(rewrite: Rewrite) -> list[str]:
    said = [("Left out of the rewrite", rewrite.lost), ("New in the rewrite, so have a look", rewrite.added)]
    return [
        f"{what}: {', '.join(items[:MAX_PARTICULARS])}{' and more' if len(items) > MAX_PARTICULARS else ''}"
        for what, items in said
        if items
    ]


def _checked_by(verdict: Verdict, written: Written) -> str:
    if verdict.offline:
        return "Checked by the offline check"
    model = _clip(written.quoted(verdict.model), MAX_MODEL) or "a model without a name"
    return f"Checked by {model}{f', version {_clip(verdict.version, MAX_VERSION)}' if verdict.version else ''}"


def _notes(notes: Sequence[str], *, cut: bool) -> list[Block]:
    said = [*notes, *([TOO_LONG_FOR_BUTTONS] if cut else [])]
    return [_context(*said)] if said else []


def _votes(checked: Checked) -> list[Block]:
    return [
        {
            "type": "button",
            "action_id": action_id,
            "text": _label(thumb),
            "accessibility_label": spoken,
            "value": checked.packed(),
        }
        for action_id, thumb, spoken in ((HELPFUL, "👍", "Helpful"), (NOT_HELPFUL, "👎", "Not helpful"))
    ]


def _row(buttons: Sequence[Block], block_id: str = "") -> list[Block]:
    named = {"block_id": block_id} if block_id else {}
    return [{"type": "actions", "elements": list(buttons), **named}] if buttons else []


def _carried(row: Sequence[Block]) -> bool:
    return all(len(button.get("value", "")) <= MAX_VALUE for button in row)


def _fits(blocks: Sequence[Block]) -> bool:
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) <= MAX_MESSAGE


def _button(label: str, action_id: str, asked: Asked) -> Block:
    return {"type": "button", "action_id": action_id, "text": _label(label), "value": asked.packed()}


def _label(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def _mrkdwn(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _plain(text: str) -> Block:
    return {"type": "section", "text": _label(text)}


def _context(*texts: str) -> Block:
    return {"type": "context", "elements": [{**_label(text), "emoji": False} for text in texts]}


def _rich(element: Block) -> Block:
    return {"type": "rich_text", "elements": [element]}


def _words(text: str) -> Block:
    return {"type": "text", "text": text}


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
