"""What the buttons that send carry, and those buttons. Pure.

The text in a button is the very text that stands above it: what is sent is what was seen. A text that does not fit
into a button has none; it is there to be copied.
"""

import re
from dataclasses import dataclass
from typing import Any

from bot.slack import wording
from bot.slack.buttons import MAX_VALUE, Asked, Element, carried, compact
from bot.slack.home import NOT_NOW, connect_button
from bot.slack.text import Origin, Rewrite, Written, size
from bot.verdict import Label, Verdict

SEND, SEND_ANYWAY, CHANGE = "send", "send_anyway", "change_message"
"""Action ids."""
_NAMED = re.compile(r"<([@#][A-Z0-9]+|!subteam\^[A-Z0-9]+)\|[^<>]*>")
MAX_CONFIRM = 300
"""Of a confirmation's text (Slack: "Confirmation dialog object")."""


@dataclass(frozen=True)
class Letter:
    """A text to send, as Slack's mrkdwn, and where it goes. `answer` tells this answer from every other."""

    answer: str
    channel_id: str
    text: str
    thread_ts: str = ""

    def packed(self) -> str:
        return compact([self.answer, self.channel_id, self.thread_ts, self.text])

    @classmethod
    def unpack(cls, value: str) -> "Letter | None":
        parts = _strings(value, 4)
        return None if parts is None else cls(parts[0], parts[1], parts[3], parts[2])


@dataclass(frozen=True)
class Change:
    """The person's own message, the text it is to have, and the one it had, to put back."""

    channel_id: str
    ts: str
    text: str
    before: str

    @property
    def undone(self) -> "Change":
        return Change(self.channel_id, self.ts, self.before, self.text)

    def packed(self) -> str:
        return compact([self.channel_id, self.ts, self.text, self.before])

    @classmethod
    def unpack(cls, value: str) -> "Change | None":
        parts = _strings(value, 4)
        return None if parts is None else cls(*parts)


def send_buttons(
    asked: Asked, written: Written, verdict: Verdict, rewrite: Rewrite | None, answer: str
) -> list[Element]:
    """What somebody who has connected can press under an answer to send or change it, the first in front.

    `answer` tells this answer from every other.
    """
    own_words = as_by_hand(written.restore(written.text))
    if asked.origin is Origin.SENT and asked.channel_id and asked.ts:
        if not rewrite:
            return []
        return _that_fit([change_button(Change(asked.channel_id, asked.ts, as_by_hand(rewrite), asked.draft))])
    if asked.origin is not Origin.DRAFT or not asked.channel_id:
        return []

    def letter(text: str, which: str) -> Letter:
        return Letter(f"{answer}-{which}", asked.channel_id, text, asked.thread_ts)

    if verdict.label is Label.GOOD:
        return _that_fit([send_button(letter(own_words, "draft"), asked.channel_name)])
    first = [send_button(letter(as_by_hand(rewrite), "rewrite"), asked.channel_name)] if rewrite else []
    return _that_fit([*first, send_button(letter(own_words, "draft"), asked.channel_name, anyway=True)])


def as_by_hand(rewrite: Rewrite) -> str:
    """The mrkdwn of a message that was typed by hand: there a mention is an id, without the name a command brings."""
    return _NAMED.sub(r"<\1>", rewrite.mrkdwn)


def send_button(letter: Letter, channel_name: str = "", *, anyway: bool = False) -> Element:
    words = "" if not anyway else wording.YOUR_OWN_WORDS
    question = wording.send_question(wording.conversation_mrkdwn(letter.channel_id, channel_name), words)
    return {
        "type": "button",
        "action_id": SEND_ANYWAY if anyway else SEND,
        "text": _plain(wording.SEND_ANYWAY if anyway else wording.SEND),
        "value": letter.packed(),
        "confirm": _confirm(wording.SEND_TITLE, question, wording.SEND),
        **({} if anyway else {"style": "primary"}),
    }


def change_button(change: Change, *, undo: bool = False) -> Element:
    question = wording.CHANGE_QUESTION
    return {
        "type": "button",
        "action_id": CHANGE,
        "text": _plain(wording.UNDO if undo else wording.CHANGE),
        "value": change.packed(),
        **(
            {} if undo else {"style": "primary", "confirm": _confirm(wording.CHANGE_TITLE, question, wording.CHANGE_IT)}
        ),
    }


def connect_offer(link: str) -> list[Element]:
    """For whoever has not connected: once, and never again for who says so."""
    not_now = {"type": "button", "action_id": NOT_NOW, "text": _plain(wording.NOT_NOW)}
    return [connect_button(link), not_now]


def _that_fit(buttons: list[Element]) -> list[Element]:
    return [button for button in buttons if size(button["value"]) <= MAX_VALUE]


def _confirm(title: str, question: str, yes: str) -> Element:
    return {
        "title": _plain(title),
        "text": {"type": "mrkdwn", "text": question[:MAX_CONFIRM]},
        "confirm": _plain(yes),
        "deny": _plain(wording.CANCEL),
    }


def _strings(value: str, number: int) -> list[str] | None:
    parts: Any = carried(value)
    if not isinstance(parts, list) or len(parts) < number or not all(isinstance(part, str) for part in parts[:number]):
        return None
    return parts[:number]


def _plain(text: str) -> Element:
    return {"type": "plain_text", "text": text}
