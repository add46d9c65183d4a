"""The phrasebook: set phrases and rude words of English, why each may sting, and how to say the same without. Pure.

English only: a draft in another language passes as `good`. The phrases are data, in phrasebook.yml, which also explains
how they are written.
"""

from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, PrivateAttr

from bot.model.answer import Row, answer_row
from bot.model.phrasebook.entries import Barb, Entry, Harmless
from bot.model.phrasebook.patterns import Index, Pattern, WordLists
from bot.model.phrasebook.rewriting import sentences, ways_out, without
from bot.model.phrasebook.shadow import RudeWords, Shadow, own_words, plain_forms, word_end
from bot.particulars import differences
from bot.verdict import Category, Draft, Label, Tone, one_line

WHAT_IT_MISSES = (
    "The offline check knows set phrases and rude words; it misses most irony "
    "and anything that depends on who reads it."
)

_PLACE = Path(__file__).with_name("phrasebook.yml")
_PASSES = 3
"""Rounds of rewriting: what a replacement keeps of the draft may itself hold a barb."""
_MENDABLE = 20
"""Barbs in one draft that can be mended; with more of them a new start is the better advice."""


class Phrasebook(BaseModel):
    """All entries, their patterns compiled: a twentieth of a second, once, and none of it on anybody's draft."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: dict[str, tuple[str, ...]]
    masked: tuple[str, ...]
    tips: dict[Category, str]
    cold: tuple[str, ...]
    plain: tuple[str, ...]
    harmless: tuple[Harmless, ...]
    entries: tuple[Entry, ...]

    _barbs: list[tuple[Entry, list[Pattern], list[Pattern]]] = PrivateAttr(default_factory=list)
    _harmless: list[Pattern] = PrivateAttr(default_factory=list)
    _cold: list[Pattern] = PrivateAttr(default_factory=list)
    _plain: list[Pattern] = PrivateAttr(default_factory=list)
    _index: Index = PrivateAttr()
    _rude: RudeWords = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, path: Path = _PLACE) -> "Phrasebook":
        """Read and validate the phrasebook. Raises pydantic's ValidationError where an entry is wrong."""
        # libyaml's loader is ten times as fast; not every build of PyYAML has it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return cls.model_validate(yaml.load(path.read_text(encoding="utf-8"), loader))  # noqa: S506  # both are safe ones

    def model_post_init(self, _context: object) -> None:
        words = WordLists(self.words)

        def compiled(written: Iterable[str]) -> list[Pattern]:
            return [Pattern(each, words) for each in written]

        self._barbs.extend((entry, compiled(entry.patterns), compiled(entry.unless)) for entry in self.entries)
        self._harmless.extend(pattern for like in self.harmless for pattern in compiled(like.patterns))
        self._cold, self._plain = compiled(self.cold), compiled(self.plain)
        self._index = Index([*self._harmless, *(pattern for _, patterns, _ in self._barbs for pattern in patterns)])
        for name in self.masked:
            for word in (form for item in self.words[name] for form in plain_forms(item)):
                self._rude.setdefault((word[0], len(word)), []).append(word)

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
        shadow = Shadow(text, self._rude)
        candidates = self._index.candidates(shadow)
        taken = _marked(candidates.intersection(self._harmless), shadow)
        found: list[Barb] = []
        for entry, patterns, unless in self._barbs:
            barbs = [
                Barb(start, word_end(text, end), entry, {name: text[slice(*span)] for name, span in groups.items()})
                for pattern in patterns
                if pattern in candidates
                for start, end, groups in pattern.find(shadow)
            ]
            if barbs and unless:
                not_these = _marked(unless, shadow)
                barbs = [barb for barb in barbs if 1 not in not_these[barb.start : barb.end]]
            found += barbs
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
        new, ours = text, set[str]()
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
                mended = without(new, barb, tone)
                if mended is None:
                    return None
                new = mended
                if not barb.entry.part_of_a_sentence:
                    ours.update(each for way in ways_out(barb, tone) for each in sentences(own_words(way)))
            barbs = self.find(new)
        new = new.strip()
        if barbs or one_line(new) == one_line(text) or any(differences(text, new)):
            return None
        return new if self._is_kind(new, ours) else None

    def _is_kind(self, new: str, ours: set[str]) -> bool:
        """Whether a rewrite would pass as a message: nothing cold in it, of the author's own only plain sentences."""
        kept = [each for each in sentences(own_words(new)) if not any(said in each for said in ours)]
        return not self._touched(self._cold, new) and all(self._touched(self._plain, each) for each in kept)

    def _touched(self, patterns: list[Pattern], text: str) -> bool:
        shadow = Shadow(text, self._rude)
        return any(True for pattern in patterns for _ in pattern.find(shadow))

    def _tip(self, barbs: list[Barb]) -> str:
        hopeless = [barb for barb in barbs if not ways_out(barb, Tone.PLAYFUL)] or barbs
        return next((barb.entry.tip for barb in hopeless if barb.entry.tip), self.tips[hopeless[0].entry.category])


def _marked(patterns: Iterable[Pattern], shadow: Shadow) -> bytearray:
    """For each character of the text, 1 where one of the patterns matches."""
    marks = bytearray(len(shadow.data))
    for pattern in patterns:
        for start, end, _ in pattern.find(shadow):
            marks[start:end] = b"\1" * (end - start)
    return marks
