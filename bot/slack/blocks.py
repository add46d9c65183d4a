"""What Angel says, as Slack shows it: a Verdict becomes Block Kit, within Slack's sizes whatever it holds. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.slack import wording
from bot.slack.buttons import MAX_MODEL, MAX_VERSION, Checked, can_carry, vote_buttons
from bot.slack.text import Entity, Rewrite, Written, clipped, escape
from bot.verdict import MAX_DRAFT, Label, Verdict

Block = dict[str, Any]

MAX_MESSAGE = 13_000
"""Characters of all blocks of a message as JSON; Slack refuses somewhat more than that."""
MAX_INPUT = 3_000
"""Characters that an input of a modal can hold."""
MAX_TEXT = 12_000
"""Characters of top-level text; Slack cuts at 40,000, and nobody has more than a message read to them."""
MAX_FINDINGS = 5
MAX_EXCERPT, MAX_REASON = 120, 240
MAX_PARTICULARS = 6

REWRITE, VOTES, MAY_I = "rewrite", "votes", "may_i"
"""Ids of blocks that are looked for in a view that Slack sends back."""


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
        forms = [[plain(clipped(written.quoted(verdict.tip or ""), MAX_INPUT) or wording.NO_REWRITE)]]
    else:
        forms = [[]]
    checked_by = small_print(
        f"{_checked_by(verdict, written)} · {wording.ONLY_YOU}",
        *([wording.stood_in(verdict.fallback)] if verdict.fallback else []),
        *([offline_note] if verdict.offline and offline_note else []),
    )
    rows = [row for row in (*buttons, ()) if can_carry(row)]
    ballots = [vote_buttons(checked), vote_buttons(replace(checked, draft=""))] if checked else [[]]
    ballots = [votes for votes in ballots if can_carry(votes)]
    candidates = (
        [
            sentence,
            *found,
            *form,
            *_notes(notes, cut=len(row) < len(buttons[0]) if buttons else False),
            *row_of(row),
            checked_by,
            *row_of(votes, VOTES),
        ]
        for found in (findings, [])
        for form in forms
        for row in rows
        for votes in ballots
    )
    return Answer(
        _spoken(verdict, rewrite), next(filter(_fits, candidates), [sentence, checked_by, *row_of(ballots[-1], VOTES)])
    )


def notice(text: str, *, buttons: Sequence[Sequence[Block]] = ()) -> Answer:
    """A sentence of our own; `buttons` as for a verdict. `text` is mrkdwn."""
    candidates = ([_mrkdwn(text), *row_of(row)] for row in buttons if can_carry(row))
    return Answer(text, next(filter(_fits, candidates), [_mrkdwn(text)]))


def _spoken(verdict: Verdict, rewrite: Rewrite | None) -> str:
    if rewrite is None:
        return verdict.sentence
    text = rewrite.mrkdwn if len(rewrite.mrkdwn) <= MAX_TEXT else escape(rewrite.hinted)
    return f"{verdict.sentence} {wording.REWRITE_SPOKEN}\n{text}"


def _findings(verdict: Verdict, written: Written) -> list[Block]:
    items = []
    for finding in verdict.findings[:MAX_FINDINGS]:
        excerpt = clipped(written.quoted(finding.excerpt), MAX_EXCERPT)
        reason = clipped(written.quoted(finding.reason), MAX_REASON) or finding.category.title
        items.append([{"type": "text", "text": f"“{excerpt}”", "style": {"italic": True}}, _words(f" — {reason}")])
    more = len(verdict.findings) - MAX_FINDINGS
    if more > 0:
        items.append([_words(wording.more_findings(more))])
    sections = [{"type": "rich_text_section", "elements": item} for item in items]
    return [_rich({"type": "rich_text_list", "style": "bullet", "elements": sections})] if sections else []


def _rewrite(parts: Iterable[str | Entity]) -> list[Block]:
    """The rewrite in one piece, to copy with one gesture.

    Slack has a copy button on preformatted text, in which only letters and links can stand; a rewrite with a mention in
    it is a quote, where it stays a mention when copied.
    """
    elements = [_words(part) if isinstance(part, str) else _element(part) for part in parts]
    letters_only = all(element["type"] in ("text", "link") for element in elements)
    kind = "rich_text_preformatted" if letters_only else "rich_text_quote"
    return [
        plain(wording.REWRITE_HEADING),
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
    said = [(wording.LOST, rewrite.lost), (wording.ADDED, rewrite.added)]
    return [
        f"{what}: {', '.join(items[:MAX_PARTICULARS])}{wording.AND_MORE if len(items) > MAX_PARTICULARS else ''}"
        for what, items in said
        if items
    ]


def _checked_by(verdict: Verdict, written: Written) -> str:
    if verdict.offline:
        return wording.CHECKED_OFFLINE
    model = clipped(written.quoted(verdict.model), MAX_MODEL) or wording.NAMELESS_MODEL
    return wording.checked_by(model, clipped(verdict.version, MAX_VERSION) if verdict.version else None)


def _notes(notes: Sequence[str], *, cut: bool) -> list[Block]:
    said = [*notes, *([wording.TOO_LONG_FOR_BUTTONS] if cut else [])]
    return [small_print(*said)] if said else []


def row_of(buttons: Sequence[Block], block_id: str = "") -> list[Block]:
    named = {"block_id": block_id} if block_id else {}
    return [{"type": "actions", "elements": list(buttons), **named}] if buttons else []


def _fits(blocks: Sequence[Block]) -> bool:
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) <= MAX_MESSAGE


def label(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def _mrkdwn(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def plain(text: str) -> Block:
    return {"type": "section", "text": label(text)}


def small_print(*texts: str) -> Block:
    return {"type": "context", "elements": [{**label(text), "emoji": False} for text in texts]}


def _rich(element: Block) -> Block:
    return {"type": "rich_text", "elements": [element]}


def _words(text: str) -> Block:
    return {"type": "text", "text": text}
