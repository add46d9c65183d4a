"""The words of the domain: a draft goes in, a verdict comes out."""

import unicodedata
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.errors import DraftRejected

GOOD_SENTENCE = "Good to Go!"
CAUTION_SENTENCE = "You might want to read that again before pressing send."
UNREAD_SENTENCE = (
    "I can only read English right now, and this has another language in it, so I can't say how it will land."
)

MAX_DRAFT = 4_000
"""Characters of a draft. Slack advises 4,000 for the text of one message."""
MAX_CONTEXT = 500
"""Characters of the line of context: a line, not a second draft."""


class Tone(StrEnum):
    """How a rewrite should sound."""

    PLAYFUL = "playful"
    WARM = "warm"
    PROFESSIONAL = "professional"
    BRIEF = "brief"


class Category(StrEnum):
    """What kind of sting a finding is. Few on purpose: finer kinds are unreliable even for large models."""

    SARCASM = "sarcasm"
    PASSIVE_AGGRESSION = "passive_aggression"
    BLAME = "blame"
    CONDESCENSION = "condescension"
    DISMISSAL = "dismissal"
    INSULT = "insult"
    OTHER = "other"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title() is a method; nobody wants "Passive_Aggression"
        """`passive_aggression` as a person reads it: `Passive aggression`."""
        return self.value.replace("_", " ").capitalize()


class Label(StrEnum):
    GOOD = "good"
    CAUTION = "caution"
    UNREAD = "unread"
    """In a language that the model can't read."""

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


JUDGEMENTS = (Label.GOOD, Label.CAUTION)
"""What a model is asked for, and what examples are labelled with."""
_SENTENCES = {Label.GOOD: GOOD_SENTENCE, Label.CAUTION: CAUTION_SENTENCE, Label.UNREAD: UNREAD_SENTENCE}


class Draft(BaseModel):
    """A message its author has not sent yet.

    `previous` is a rewrite of it that they have seen, or its beginning: another one is wanted.

    Raises DraftRejected, never a ValidationError: what is wrong with a draft is for its author to read, and pydantic's
    message would carry the text.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    text: str
    tone: Tone = Tone.PLAYFUL
    context: str | None = None
    previous: str | None = None

    @field_validator("text", mode="before")
    @classmethod
    def _checkable(cls, text: object) -> str:
        text = _readable(text, "That draft")
        if not _has_something_to_read(text):
            raise DraftRejected(
                "There is nothing to read yet. Write the message you have in mind, and I'll take a look."
            )
        if len(text) > MAX_DRAFT:
            raise DraftRejected(
                f"That draft has {len(text):,} characters and I read up to {MAX_DRAFT:,} at once. "
                "Check it in parts, or just the part you are unsure of."
            )
        return text

    @field_validator("previous", mode="before")
    @classmethod
    def _at_most_a_draft(cls, previous: object) -> str | None:
        # Not the author's words, so nothing they could mend.
        return whole(previous[:MAX_DRAFT]) if isinstance(previous, str) and previous else None

    @field_validator("tone", mode="before")
    @classmethod
    def _known_tone(cls, tone: object) -> Tone:
        try:
            return Tone(tone) if tone is not None else Tone.PLAYFUL  # type: ignore[arg-type]
        except ValueError:
            raise DraftRejected(f"I don't know that tone. Pick one of: {', '.join(Tone)}.") from None

    @field_validator("context", mode="before")
    @classmethod
    def _short_context(cls, context: object) -> str | None:
        if context is None:
            return None
        context = _readable(context, "The context")
        if len(context) > MAX_CONTEXT:
            raise DraftRejected(
                f"The context has {len(context):,} characters; a line of up to {MAX_CONTEXT} is enough."
            )
        return context if _has_something_to_read(context) else None


def _readable(text: object, what: str) -> str:
    if not isinstance(text, str):
        raise DraftRejected(f"{what} is not text. Paste the words of the message.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DraftRejected(
            f"{what} has a broken character in it (half an emoji, usually). Type that part again."
        ) from None
    return text


def _has_something_to_read(text: str) -> bool:
    """Whether a character of it can be seen: zero-width joiners and the like make a draft look empty."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


class Finding(BaseModel):
    """Words of the draft that may sting, and why. `excerpt` stands in the draft, letter for letter."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    category: Category
    excerpt: str
    reason: str


class Fallback(StrEnum):
    """Why the offline model answered in another model's place: that model's error code, or its lateness."""

    LATE = "late"
    FAILED = "failed"
    MISCONFIGURED = "misconfigured"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    FILTERED = "filtered"
    EMPTY = "empty"

    @property
    def explanation(self) -> str:
        """What happened, as the beginning of a sentence that goes on with the offline check."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Fallback.LATE: "The chat model took too long",
    Fallback.FAILED: "The chat model stumbled over this one",
    Fallback.MISCONFIGURED: "The chat model is not set up right",
    Fallback.UNAVAILABLE: "The chat model can't be reached just now",
    Fallback.RATE_LIMITED: "The chat model is being asked too often just now",
    Fallback.UNREADABLE: "The chat model's answer made no sense",
    Fallback.REFUSED: "The chat model would rather not read this one",
    Fallback.CUT_OFF: "The chat model ran out of breath halfway",
    Fallback.FILTERED: "A content filter kept the chat model's answer back",
    Fallback.EMPTY: "The chat model had nothing to say",
}


class Verdict(BaseModel):
    """What Angel says of one draft.

    `good` and `unread` carry no findings and no rewrite. `caution` without a rewrite is for models that gave none;
    `tip`, a line on how to say it instead, may stand in. `lost` and `added` are the particulars (see
    `bot.particulars`) in which the rewrite differs from the draft. `offline` says whether the offline model answered,
    `fallback` why it stood in.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    label: Label
    findings: tuple[Finding, ...] = ()
    rewrite: str | None = None
    tip: str | None = None
    lost: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    model: str = ""
    version: str | None = None
    offline: bool = False
    fallback: Fallback | None = None
    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)

    @property
    def sentence(self) -> str:
        return self.label.sentence

    def as_json(self) -> dict[str, Any]:
        """The keys that `angel check --json` and `angel screen` promise, in this order."""
        return {
            "verdict": self.label.value,
            "sentence": self.sentence,
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
            "rewrite": self.rewrite,
            "tip": self.tip,
            "lost": list(self.lost),
            "added": list(self.added),
            "model": self.model,
            "version": self.version,
            "offline": self.offline,
            "fallback": self.fallback.value if self.fallback else None,
        }


def whole(text: str) -> str:
    """The text with each half of an emoji as `�`, since nothing can encode one; two halves side by side become it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def one_line(text: str) -> str:
    """The text with every run of white space made one space."""
    return " ".join(text.split())
