"""What Angel says, as Slack shows it: a Verdict becomes Block Kit, within Slack's sizes whatever it holds. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.slack import wording
from bot.slack.buttons import Asked, Ballot, Element, can_carry, vote_buttons, vote_menu
from bot.slack.rich_text import elements, ready_to_copy
from bot.slack.text import MAX_PARTICULARS, Origin, Rewrite, Written, clipped, escape, size
from bot.verdict import Label, Verdict

Block = dict[str, Any]

MAX_MESSAGE = 13_000
"""Of all blocks of a message as JSON; Slack refuses somewhat more than that."""
MAX_TEXT = 39_000
"""Of top-level text; Slack cuts at 40,000."""
MAX_SECTION = 3_000
MAX_FINDINGS = 4
MAX_EXCERPT, MAX_REASON, MAX_MODEL, MAX_VERSION = 120, 240, 75, 20

REWRITE, VOTES, MAY_I = "rewrite", "votes", "may_i"
"""What the ids of blocks begin with that are looked for in a view that Slack sends back. Each answer has its own ids:
in a message that replaces another, a menu with the old id would still show what was picked in the old one."""


@dataclass(frozen=True)
class Answer:
    """`text` is what screen readers and notifications say, in mrkdwn; `blocks` is what is seen.

    Without blocks Slack shows the text, and refuses nothing that is in it.
    """

    text: str
    blocks: Sequence[Block] = ()


def verdict_answer(
    verdict: Verdict,
    asked: Asked,
    written: Written,
    rewrite: Rewrite | None,
    *,
    row: Sequence[Element] = (),
    notes: Sequence[str] = (),
    offer: Sequence[Element] = (),
    ballot: Ballot | None = None,
    gives_back: bool = True,
) -> Answer:
    """A verdict on what was `asked`, `row` under it.

    What does not fit is left out, the least needed first. With `gives_back` a draft that is good to go is there to
    copy.
    """
    said = wording.sentence(verdict, asked.origin)
    head = [_quote(written)] if asked.origin is not Origin.DRAFT else []
    head.append(_mrkdwn(f"*{said}*"))
    findings = _findings(verdict, written)
    if rewrite:
        forms = [
            _to_copy(wording.rewrite_heading(asked.origin), elements(rewrite.parts, written.emoji)),
            _to_copy(wording.rewrite_heading(asked.origin), elements([rewrite.hinted])),
        ]
        notes = [*_differences(rewrite), *notes]
        spoken = f"{said} {wording.REWRITE_SPOKEN}\n{_spoken(rewrite)}"
    elif verdict.label is Label.CAUTION:
        tip = clipped(written.quoted(verdict.tip or ""), MAX_REASON) or wording.NO_REWRITE
        forms, spoken = [[_plain(tip)]], f"{said} {escape(tip)}"
    elif gives_back and asked.origin is Origin.DRAFT:
        forms, spoken = _given_back(written), f"{said}\n{_spoken(written.restore(written.text))}"
    else:
        forms, spoken = [[]], said
    print_of = _small_print(verdict, asked, written)
    ballots = [ballot, replace(ballot, draft="")] if ballot and ballot.draft else [ballot]
    offers = [[*_context(wording.CONNECT_HINT), *row_of(offer)], []] if offer else [[]]
    rows = [row, ()] if can_carry(list(row)) else [()]
    candidates = (
        [
            *head,
            *found,
            *form,
            *_context(*notes, *([wording.TOO_LONG_FOR_BUTTONS] if len(pressable) < len(row) else [])),
            *row_of(pressable),
            *_with_votes(print_of, each),
            *offered,
        ]
        for found in (findings, [])
        for form in forms
        for offered in offers
        for pressable in rows
        for each in ballots
    )
    return Answer(spoken, next(filter(_fits, candidates), ()))


def notice(text: str, *, row: Sequence[Element] = (), back: Written | None = None) -> Answer:
    """A sentence of our own in mrkdwn, `row` under it; `back` is a draft to give back."""
    row = row if can_carry(list(row)) else ()
    if back is None:
        return Answer(text, [_mrkdwn(text), *row_of(row)])
    candidates = ([_mrkdwn(text), *form, *row_of(row)] for form in _given_back(back))
    return Answer(f"{text}\n{_spoken(back.restore(back.text))}", next(filter(_fits, candidates), ()))


def text_sections(text: str) -> list[Block]:
    """Mrkdwn in the plainest blocks there are, for a view, which can't do without any."""
    step = MAX_SECTION // 4  # characters take up to four bytes
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    return [_plain(piece) for piece in pieces if piece.strip()]


def row_of(pressable: Sequence[Element], block_id: str = "") -> list[Block]:
    named = {"block_id": block_id} if block_id else {}
    return [{"type": "actions", "elements": list(pressable), **named}] if pressable else []


def _given_back(written: Written) -> list[list[Block]]:
    """The author's own words, with mentions and links as such or as words."""
    whole = written.restore(written.text)
    if not whole.hinted.strip():
        return [[]]
    forms = [elements(whole.parts, written.emoji), elements([whole.hinted])]
    return [_to_copy(wording.DRAFT_HEADING, form, "draft") for form in forms]


def _to_copy(heading: str, form: list[Element], block_id: str = REWRITE) -> list[Block]:
    return [_plain(heading), {**_rich(ready_to_copy(form)), "block_id": block_id}]


def _quote(written: Written) -> Block:
    """The beginning of a message, to know it by."""
    beginning = clipped(" ".join(written.quoted(written.text[: 2 * MAX_EXCERPT]).split()), MAX_EXCERPT)
    return _rich({"type": "rich_text_quote", "elements": elements([beginning or "…"], written.emoji)})


def _findings(verdict: Verdict, written: Written) -> list[Block]:
    items = []
    for finding in verdict.findings[:MAX_FINDINGS]:
        excerpt = clipped(written.quoted(finding.excerpt[: 2 * MAX_EXCERPT]), MAX_EXCERPT)
        reason = clipped(written.quoted(finding.reason[: 2 * MAX_REASON]), MAX_REASON) or finding.category.title
        quoted = [
            {**element, "style": {"italic": True}} if element["type"] == "text" else element
            for element in elements([f"“{excerpt}”"], written.emoji)
        ]
        items.append([*quoted, *elements([f" — {reason}"], written.emoji)])
    more = len(verdict.findings) - MAX_FINDINGS
    if more > 0:
        items.append(elements([wording.more_findings(more)]))
    sections = [{"type": "rich_text_section", "elements": item} for item in items]
    return [_rich({"type": "rich_text_list", "style": "bullet", "elements": sections})] if sections else []


def _differences(rewrite: Rewrite) -> list[str]:
    said = [(wording.LOST, rewrite.lost), (wording.ADDED, rewrite.added)]
    return [
        f"{what}: {', '.join(items[:MAX_PARTICULARS])}{wording.AND_MORE if len(items) > MAX_PARTICULARS else ''}"
        for what, items in said
        if items
    ]


def _spoken(rewrite: Rewrite) -> str:
    return rewrite.mrkdwn if size(rewrite.mrkdwn) <= MAX_TEXT - MAX_SECTION else escape(rewrite.hinted)


def _small_print(verdict: Verdict, asked: Asked, written: Written) -> str:
    model = clipped(written.quoted(verdict.model), MAX_MODEL)
    version = clipped(written.quoted(verdict.version), MAX_VERSION) if verdict.version else None
    return wording.small_print(verdict, model, version, asked.tone)


def _with_votes(small_print: str, ballot: Ballot | None) -> list[Block]:
    """The small print, the votes at its side; where a vote carries a draft they are buttons below it."""
    if ballot is None:
        return _context(small_print)
    block_id = f"{VOTES}-{ballot.check}"
    if ballot.draft and can_carry(vote_buttons(ballot)):
        return [*_context(small_print), *row_of(vote_buttons(ballot), block_id)]
    return [{**_plain(small_print), "block_id": block_id, "accessory": vote_menu(ballot)}]


def _fits(blocks: Sequence[Block]) -> bool:
    return size(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) <= MAX_MESSAGE


def label(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def _mrkdwn(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _plain(text: str) -> Block:
    return {"type": "section", "text": {**label(text), "emoji": False}}


def _context(*texts: str) -> list[Block]:
    return [{"type": "context", "elements": [{**label(text), "emoji": False} for text in texts]}] if texts else []


def _rich(element: Element) -> Block:
    return {"type": "rich_text", "elements": [element]}
