"""The phrasebook: set phrases and rude words of English, why each may sting, and how to say the same without. Pure.

English only: a draft in another language passes as `good`. The phrases are data, in phrasebook.yml, which also explains
how they are written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from bot.model.answer import Row, answer_row
from bot.verdict import PLACEHOLDER, Category, Draft, Label, Tone, differences, one_line

WHAT_IT_MISSES = (
    "The offline check knows set phrases and rude words; it misses most irony "
    "and anything that depends on who reads it."
)

_PLACE = Path(__file__).with_name("phrasebook.yml")
_PASSES = 3
"""Rounds of rewriting: what a replacement keeps of the draft may itself hold a barb."""
_MENDABLE = 20
"""Barbs in one draft that can be mended; with more of them a new start is the better advice."""


class Entry(BaseModel):
    """Phrases that sting for the same reason. Without `replace` or `drop` there is no honest rewrite, only a tip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patterns: tuple[str, ...] = Field(min_length=1)
    category: Category
    reason: str
    replace: str | None = None
    tones: dict[Tone, str] = {}
    drop: Literal["words", "sentence"] | None = None
    tip: str | None = None
    examples: tuple[str, ...] = Field(min_length=1)
    lookalikes: tuple[str, ...] = Field(default=(), alias="not")

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        if self.drop and (self.replace or self.tones):
            raise ValueError(f"{self.patterns[0]}: either `drop` or `replace`, not both")
        return self


class Harmless(BaseModel):
    """Harmless words that hold a rude one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patterns: tuple[str, ...] = Field(min_length=1)
    examples: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Barb:
    """An entry that a text matches from `start` to `end`; `groups` are the pattern's, as they stand in the text."""

    start: int
    end: int
    entry: Entry
    groups: dict[str, str]


class Phrasebook(BaseModel):
    """All entries. Patterns are compiled when a text first calls for them, so that loading stays quick."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: dict[str, tuple[str, ...]]
    masked: tuple[str, ...]
    tips: dict[Category, str]
    harmless: tuple[Harmless, ...]
    entries: tuple[Entry, ...]

    _barbs: list[tuple["_Pattern", Entry]] = PrivateAttr(default_factory=list)
    _harmless: list["_Pattern"] = PrivateAttr(default_factory=list)
    _rude: dict[int, list[str]] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, path: Path = _PLACE) -> "Phrasebook":
        """Read and validate the phrasebook. Raises pydantic's ValidationError where an entry is wrong."""
        # libyaml's loader is ten times as fast; not every build of PyYAML has it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return cls.model_validate(yaml.load(path.read_text(encoding="utf-8"), loader))  # noqa: S506  # both are safe ones

    def model_post_init(self, _context: object) -> None:
        words = _Words(self.words)
        self._barbs.extend((_Pattern(each, words), entry) for entry in self.entries for each in entry.patterns)
        self._harmless.extend(_Pattern(each, words) for like in self.harmless for each in like.patterns)
        for name in self.masked:
            for word in (form for item in self.words[name] for form in _plain_forms(item)):
                self._rude.setdefault(len(word), []).append(word)

    def check(self, draft: Draft) -> Row:
        """The verdict on a draft, as a row of a model's output."""
        barbs = self.find(draft.text)
        if not barbs:
            return answer_row(draft.text, Label.GOOD)
        findings: dict[tuple[str, str], dict[str, str]] = {}
        for barb in barbs:
            excerpt = draft.text[barb.start : barb.end]
            findings.setdefault(
                # Said twice, a reason is a lecture.
                (excerpt.casefold(), barb.entry.reason),
                {"category": barb.entry.category.value, "excerpt": excerpt, "reason": barb.entry.reason},
            )
        return answer_row(
            draft.text,
            Label.CAUTION,
            findings.values(),
            rewrite=self._without(barbs, draft.text, draft.tone),
            tip=self._tip(barbs),
        )

    def find(self, text: str) -> list[Barb]:
        """The barbs of a text in the order of the text, none overlapping another."""
        shadow = _Shadow(_shadow(text, self._rude))
        taken = bytearray(len(text))
        for pattern in self._harmless:
            for start, end, _ in pattern.find(shadow):
                taken[start:end] = b"\1" * (end - start)
        found = [
            Barb(start, _word_end(text, end), entry, {name: text[slice(*span)] for name, span in groups.items()})
            for pattern, entry in self._barbs
            for start, end, groups in pattern.find(shadow)
        ]
        kept: list[Barb] = []
        # The longer one says more: "you complete idiot" over "idiot".
        for barb in sorted(found, key=lambda barb: (barb.start - barb.end, barb.start)):
            if 1 not in taken[barb.start : barb.end]:
                taken[barb.start : barb.end] = b"\1" * (barb.end - barb.start)
                kept.append(barb)
        return sorted(kept, key=lambda barb: barb.start)

    def rewrite(self, text: str, tone: Tone) -> str | None:
        """The text without its barbs, or None where there is no honest way to say it."""
        return self._without(self.find(text), text, tone)

    def _without(self, barbs: list[Barb], text: str, tone: Tone) -> str | None:
        new = text
        for _ in range(_PASSES):
            if not barbs:
                break
            if len(barbs) > _MENDABLE:
                return None
            source = new
            # From the end, so that what stands before keeps its place.
            for barb in reversed(barbs):
                if new[barb.start : barb.end] != source[barb.start : barb.end]:
                    continue  # gone with its sentence
                mended = _without(new, barb, tone)
                if mended is None:
                    return None
                new = mended
            barbs = self.find(new)
        says_something = len(re.findall(r"\w+", new)) > 1
        if not says_something or one_line(new) == one_line(text) or any(differences(text, new)) or barbs:
            return None
        return new

    def _tip(self, barbs: list[Barb]) -> str:
        hopeless = [barb for barb in barbs if not _ways_out(barb, Tone.PLAYFUL)] or barbs
        return next((barb.entry.tip for barb in hopeless if barb.entry.tip), self.tips[hopeless[0].entry.category])


# --- the shadow: the text as the patterns see it, of the same length ------------------------------------------------

_HIDDEN = "\0"
_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "„": '"', "\xa0": " "})
_NOT_ONES_OWN_WORDS = re.compile(
    rf"""
      ```[^`]*(?:`{{1,2}}[^`]+)*``` | `[^`\n]+`       # code
    | ^[ ]{{0,3}}(?:>|&gt;).*$                         # quoted lines
    | {PLACEHOLDER.pattern}
    | (?:https?://|www\.)[^\s<>|]+ | (?<![\w.+-])[\w.+-]{1, 64}@[\w-]+(?:\.[\w-]+)+
    | (?<![\w:]):[\w+-]+:                               # emoji names
    | (?<![\w/&])[@\#][\w.-]*\w                         # mentions
    | (?<=\w)[./\\](?=\w)                               # the point of 3.11 ends no sentence
    """,
    re.VERBOSE | re.MULTILINE,
)
_QUOTATION = re.compile(r'"([^"\n]{1,400})"')
_ONES_OWN = re.compile(r"\b(?:your|his|her|their|this|that|such|so-called)\s$")
_MASKED_WORD = re.compile(r"(?<![\w\0])[a-z][a-z0-9*@$!#]*[a-z0-9*@$]")
_UNMASK = str.maketrans("01345$@!7", "oieassait")
_STRETCHED = re.compile(r"([a-z])\1{2,}")


def _shadow(text: str, rude: dict[int, list[str]]) -> str:
    """The text, character for character, in small letters and with what its author only quotes hidden."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(small if len(small := each.lower()) == 1 else each for each in text)
    shadow = _NOT_ONES_OWN_WORDS.sub(_hide, lower.translate(_PLAIN).replace(_HIDDEN, " "))
    shadow = _QUOTATION.sub(lambda quotation: _hide_quotation(quotation, shadow), shadow)
    return _MASKED_WORD.sub(lambda word: _unmasked(word.group(), rude), shadow)


def _plain_forms(word: str) -> tuple[str, ...]:
    """The words that an item of a word list stands for, where it is no more than a word and its plural."""
    stem = word.removesuffix("s?")
    return (stem, stem + "s") if stem != word and stem.isalpha() else (word,) if word.isalpha() else ()


def _hide(match: re.Match[str]) -> str:
    return _HIDDEN * len(match.group())


def _hide_quotation(quotation: re.Match[str], shadow: str) -> str:
    """Words in quotation marks are somebody else's, but for those around a whole draft or in 'your "help"'."""
    start, end = quotation.span()
    whole = not shadow[:start].strip() and not shadow[end:].strip()
    return quotation.group() if whole or _ONES_OWN.search(shadow[max(0, start - 12) : start]) else _hide(quotation)


def _unmasked(word: str, rude: dict[int, list[str]]) -> str:
    """`f**k`, `stup1d` and `idiooot` as the words they mean, of the same length."""
    if word.isalpha():
        if _STRETCHED.search(word):
            for shorter in (_STRETCHED.sub(r"\1", word), _STRETCHED.sub(r"\1\1", word)):
                if shorter in rude.get(len(shorter), ()):
                    return shorter.ljust(len(word))
        return word
    plain = word.translate(_UNMASK)
    hidden = re.compile(re.escape(plain).replace(r"\*", "[a-z]"))
    # Of three letters, one star leaves too many words it could be.
    known = rude.get(len(word), ()) if len(word) > 3 or "*" not in word else ()
    return next((candidate for candidate in known if hidden.fullmatch(candidate)), word)


def _word_end(text: str, end: int) -> int:
    """Where the word ends that ends at `end` in the shadow: `idiottt` is longer than what it means."""
    while end < len(text) and text[end].isalpha() and text[end - 1].isalpha():
        end += 1
    return end


class _Shadow:
    """A shadow, and what has been looked for in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._held: dict[str, bool] = {}

    def holds_any(self, runs: frozenset[str]) -> bool:
        """Whether one of the runs of letters is there; no runs are always there."""
        held = self._held
        for run in runs:
            found = held.get(run)
            if found is None:
                found = held[run] = run in self.text
            if found:
                return True
        return not runs


# --- patterns -------------------------------------------------------------------------------------------------------

_SENTENCE_START = (
    r"(?:\A|(?<=[.!?…:;\n)]))"
    r"[\s\0\"'(*_~>•-]{0,6}"
    r"(?:(?:well|so|ok|okay|oh|ah|wow|and|but|hey|hi|yeah|yep|yes|no|nah|lol|haha|look|listen|sorry|honestly|please|dude|"
    r"man|bro|guys|jesus|god|omg|ugh)\b[,!\s\0-]{1,3}|\w{2,15},\s){0,2}?"
    r"(?P<before>)"
)
_PIECES = {
    "some": r"[^.!?\n]{1,80}?",
    "start": _SENTENCE_START,
    "end": r"(?=\s*(?:[.!?…\n\"*_)]|\Z|[^\w\s,'\0/&%$#@(-]|[:;]-?[()DP]))",
    "apostrophe": r"(?:\s?')?",
    "space": r"(?:,?[\s\0]{1,6})",
    "group": "(?:",
}
_PIECE = re.compile(
    r"(?P<literal>\\.|\[\^?[^\]]*\]|\(\?(?:<?[!=]|:))|<(?P<list>\w+)>|(?P<some>\.\.\.)"
    r"|(?P<start>\^)|(?P<end>\$)|(?P<apostrophe>')|(?P<space> +)"
    r"|(?P<kept>\((?=(?P<name>\w+)=)\w+=)|(?P<group>\()"
)


class _Pattern:
    """A phrasebook pattern, compiled when a shadow first holds one of its anchors."""

    def __init__(self, written: str, words: "_Words") -> None:
        self.written = written
        self._words = words
        self._anchors = words.anchors_of(written)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        before = "" if self.written.startswith("^") else r"(?<!\w)(?<!\w[-/])"
        after = "" if self.written.endswith("$") else r"(?!\w)"
        return re.compile(f"{before}(?:{self._words.translated(self.written)}){after}")

    def find(self, shadow: "_Shadow") -> Iterator[tuple[int, int, dict[str, tuple[int, int]]]]:
        """Start and end of each match, and the span of each named group that took part."""
        if not shadow.holds_any(self._anchors):
            return
        text = shadow.text
        for match in self._compiled.finditer(text):
            groups = {name: match.span(name) for name, found in match.groupdict().items() if found is not None}
            _, start = groups.pop("before", (0, match.start()))
            end = match.end()
            while start < end and text[start] in " \n\t,\"'":
                start += 1
            while start < end and text[end - 1] in " \n\t,":
                end -= 1
            yield start, end, groups


class _Words:
    """The word lists, and patterns read with them."""

    def __init__(self, lists: dict[str, tuple[str, ...]]) -> None:
        self._lists = lists
        self._anchors: dict[str, frozenset[str]] = {}

    def translated(self, written: str) -> str:
        """A pattern as a regular expression."""

        def piece(match: re.Match[str]) -> str:
            if match["list"]:
                return "(?:" + "|".join(map(self.translated, self._lists[match["list"]])) + ")"
            if match["name"]:
                return f"(?P<{match['name']}>"
            return match["literal"] or _PIECES[str(match.lastgroup)]

        return _PIECE.sub(piece, written)

    def anchors_of(self, written: str) -> frozenset[str]:
        """Runs of letters of which every match holds at least one, cheap to look for; empty where there are none."""
        return self._best_of_branches(iter(_ANCHOR_PIECE.findall(written)))

    def _best_of_branches(self, pieces: Iterator[str]) -> frozenset[str]:
        branches: list[frozenset[str]] = []
        best = element = _NOTHING
        for piece in pieces:
            if piece[0] in "?*" or piece.startswith("{0"):
                element = _NOTHING
                continue
            if _worth(element) > _worth(best):
                best = element
            element = _NOTHING
            if piece[0] == "(":
                element = self._best_of_branches(pieces)
                if piece.startswith("(?") and piece != "(?:":
                    element = _NOTHING  # looks around, and may well look for what must not be there
            elif piece == ")":
                break
            elif piece == "|":
                branches.append(best)
                best = _NOTHING
            elif piece[0] == "<":
                element = self._anchors_of_list(piece[1:-1])
            elif piece[0].isalpha():
                element = frozenset([piece])
        if _worth(element) > _worth(best):
            best = element
        branches.append(best)
        return frozenset().union(*branches) if all(branches) else _NOTHING

    def _anchors_of_list(self, name: str) -> frozenset[str]:
        if name not in self._anchors:
            of_words = [self.anchors_of(word) for word in self._lists[name]]
            self._anchors[name] = frozenset().union(*of_words) if all(of_words) else _NOTHING
        return self._anchors[name]


_NOTHING: frozenset[str] = frozenset()
_ANCHOR_PIECE = re.compile(
    r"\\.|\[\^?[^\]]*\]|<\w+>|\(\w+=|\(\?(?:<?[!=]|:)|\{[^}]*\}|[()|?*]"
    r"|[a-z](?=[?*]|\{0)|[a-z]+?(?=[a-z](?:[?*]|\{0))|[a-z]+|."
)
_EVERYDAY = frozenset(
    (  # noqa: SIM905  # a page of quotes and commas is no easier to read
        "a all an and are as at be but can could d did do does for get have he her him his how i if in is it just ll m "
        "me my no not of on one or our out r re really s she should so some t that the their them they this to u up ve "
        "was we were what when who why will with would you your"
    ).split()
)
"""Words in so many drafts that they make poor anchors."""


@cache
def _worth(anchors: frozenset[str]) -> float:
    """How seldom a draft has one of them, roughly."""
    if not anchors:
        return -1
    return min(0.5 if run in _EVERYDAY else len(run) for run in anchors) - len(anchors) / 1000


# --- rewriting ------------------------------------------------------------------------------------------------------

_SENTENCE_BREAK = re.compile(r"[.!?…]+[\"”')]*(?=\s|\Z)\s*|\n+")


def _ways_out(barb: Barb, tone: Tone) -> list[str]:
    """What can stand in the place of a barb, best first; nothing where there is no honest way to say it."""
    entry = barb.entry
    if entry.drop == "words":
        return [""]
    templates = [template for template in (entry.tones.get(tone), entry.replace) if template is not None]
    groups = _Groups(
        {
            name: _SMALL_WORD.sub(lambda small: small.group().lower(), said.rstrip())
            for name, said in barb.groups.items()
        }
    )
    return [" ".join(template.format_map(groups).split()) for template in templates]


_SMALL_WORD = re.compile(r"^(?:This|That|The|These|Those|Your|My|Our|It|An?)\b")
"""Words with a capital only because a sentence starts with them."""


class _Groups(dict[str, str]):
    """A group that took no part in a match adds nothing to the replacement."""

    def __missing__(self, name: str) -> str:
        return ""


def _without(text: str, barb: Barb, tone: Tone) -> str | None:
    """The text with one barb replaced or dropped, nothing of its numbers, links and mentions lost."""
    if barb.entry.drop == "sentence":
        return _without_sentence(text, barb.start, barb.end)
    said = text[barb.start : barb.end]
    ways = [way for way in _ways_out(barb, tone) if not any(differences(said, way))]
    return next((new for way in ways if (new := _spliced(text, barb.start, barb.end, way)) is not None), None)


def _without_sentence(text: str, start: int, end: int) -> str | None:
    breaks = [match.span() for match in _SENTENCE_BREAK.finditer(text)]
    first = max((until for _, until in breaks if until <= start), default=0)
    last = min((until for since, until in breaks if since >= end - 1 and until >= end), default=len(text))
    # A sentence that says more than its barb is not ours to drop.
    if 2 * (end - start) < len(text[first:last].strip()):
        return None
    left, right = text[:first], text[last:]
    return left.rstrip(" ") if not right.strip() else left + right


def _spliced(text: str, start: int, end: int, new: str) -> str | None:
    """The text with `new` from `start` to `end`, and capitals, spaces, punctuation and articles mended around it.

    None where `new` does not fit: one that begins with a capital is a clause of its own, one that ends with a full stop
    or a question mark ends its sentence.
    """
    left, old, right = text[:start], text[start:end], text[end:]
    opening = not left.strip() or bool(_OPENING.search(left))
    capital = old[:1].isupper() and (opening or not re.match(r"I\b|[A-Z]{2}", old))
    if new[:1].isupper():
        if not (opening or _NEW_CLAUSE.search(left)) or not _CLAUSE_OVER.match(right):
            return None
        if not re.match(r"I\b", new):
            new = new[0].lower() + new[1:]
    if capital:
        new = new[:1].upper() + new[1:]
    if not new:
        left, right = _closed_up(left, right, opening, capital)
    elif new[-1] in ".?":
        if not _SENTENCE_OVER.match(right):
            return None
        rest = re.sub(r"^[ .!?…,;–—-]+", "", right)
        right = " " + rest[:1].upper() + rest[1:] if rest and rest[0] not in "\n" else rest
    elif right[:1] == "?" and not _QUESTION.match(new):
        right = "." + right.lstrip("?!")
    elif old[-1] in ".!…" and new[-1] not in ".!?" and not right[:1].strip():
        new += "."
    return _article_mended(left, new + right) + new + right


_OPENING = re.compile(r"(?:[.!?…][\"”)]?|\n)\s*[-*•>\"“(]?\s*$")
_NEW_CLAUSE = re.compile(r"(?:[,;:)\]–—-]|\b(?:and|but|so|well|[@#][\w.-]+))\s*$", re.IGNORECASE)
_CLAUSE_OVER = re.compile(r"\s*(?:[^\w\s@#'’]|\n|\Z|(?:and|but|so|because|when|if|or)\b)", re.IGNORECASE)
_SENTENCE_OVER = re.compile(r"\s*(?:[.!?…,;–—\n]|-\s|\Z)")
_QUESTION = re.compile(r"(?:could|can|would|what|who|how|why|when|where|did|is|are|do)\b", re.IGNORECASE)


def _closed_up(left: str, right: str, opening: bool, capital: bool) -> tuple[str, str]:
    """What stood on both sides of dropped words, without the spaces and commas they leave."""
    if opening:
        right = re.sub(r"^[ \t,;:.!?–—-]+", "", right)
        return left, right[:1].upper() + right[1:] if capital else right
    right = right.lstrip(" ") if left[-1].isspace() or right.lstrip(" ")[:1] in ",.;:!?)\n" else right
    if not right or right[0] in ".!?\n":
        return left.rstrip(" ,;:–—-"), right
    return (left.rstrip(" ,") if right[0] in ",;:)" else left), right


def _article_mended(left: str, following: str) -> str:
    """`left`, its closing "a" or "an" as the next word wants it."""
    found = re.search(r"\b(a)n?( +)$", left, re.IGNORECASE)
    if not found or not following[:1].isalpha():
        return left
    vowel = re.match(r"(?!uni|us[eu]|eu|one\b|once)[aeiou]|hour|honest|hono|heir", following, re.IGNORECASE)
    return left[: found.start()] + found[1] + ("n" if vowel else "") + found[2]
