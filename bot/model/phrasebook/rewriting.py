"""A draft said again without a barb: what stands in its place, and the sentence mended around it. Pure."""

import re

from bot.model.phrasebook.entries import Barb
from bot.particulars import differences
from bot.verdict import Tone

_SENTENCE_BREAK = re.compile(r"[.!?…]+[\"”')]*(?=\s|\Z)\s*|\n+")


def ways_out(barb: Barb, tone: Tone) -> list[str]:
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


_SMALL_WORD = re.compile(
    r"^(?:This|That|The|These|Those|Your|My|Our|It|An?|Could|Can|Would|Will|Please|What|Who|Why|How|Where|When)\b"
)
"""Words with a capital only because a sentence starts with them."""


class _Groups(dict[str, str]):
    """A group that took no part in a match adds nothing to the replacement."""

    def __missing__(self, name: str) -> str:
        return ""


def without(text: str, barb: Barb, tone: Tone) -> str | None:
    """The text with one barb replaced or dropped, nothing of its numbers, links and mentions lost."""
    if barb.entry.drop == "sentence":
        return _without_sentence(text, barb.start, barb.end)
    if barb.entry.part_of_a_sentence:
        if _words_beside(text, barb) < _FEWEST_WORDS:
            return None
    elif not _is_a_sentence(text, barb):
        return None
    said = text[barb.start : barb.end]
    if barb.entry.drop and text[: barb.start].rstrip().endswith(",") and text[barb.end :].lstrip().startswith(","):
        return None  # one of the commas may be needed, and none can be told from the other
    ways = [way for way in ways_out(barb, tone) if not any(differences(said, way))]
    return next((new for way in ways if (new := _spliced(text, barb.start, barb.end, way)) is not None), None)


def sentences(text: str) -> list[str]:
    """The sentences of a text, without what ends them."""
    return [each for each in (part.strip() for part in _SENTENCE_BREAK.split(text)) if each]


def _is_a_sentence(text: str, barb: Barb) -> bool:
    """Whether a barb is all that its sentence says, but for a name, a "but" or the like before it."""
    left, right = text[: barb.start], text[barb.end :]
    ends = _SENTENCE_OVER if (barb.entry.replace or "")[-1:] in _SENTENCE_ENDS else _NOTHING_MORE
    return (_opens(left) or bool(_NEW_CLAUSE.search(left[-40:]))) and bool(
        ends.match(right) and not _GOES_ON.match(right)
    )


def _words_beside(text: str, barb: Barb) -> int:
    """How many words its sentence has besides a barb."""
    before = _SENTENCE_BREAK.split(text[max(0, barb.start - 200) : barb.start])[-1]
    after = _SENTENCE_BREAK.split(text[barb.end : barb.end + 200], maxsplit=1)[0]
    return len(before.split()) + len(after.split())


_FEWEST_WORDS = 3
"""Of a sentence that is given back with a part left out or exchanged: with fewer it says next to nothing."""
_GOES_ON = re.compile(r"\s*[,;–—-]\s*(?:but|and|so|because|which|that|or|when|if|unless|while)\b", re.IGNORECASE)
_NOTHING_MORE = re.compile(r"\W*(?:[.!?…\n]|\Z)")


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
    opening = _opens(left)
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
    elif new[-1] in ".?!":
        if not _SENTENCE_OVER.match(right):
            return None
        rest = re.sub(r"^[ .!?…,;–—-]+", "", right)
        right = " " + rest[:1].upper() + rest[1:] if rest and rest[0] not in "\n" else rest
    elif right[:1] == "?" and opening and not _QUESTION.search(new):
        right = "." + right.lstrip("?!")
    elif old[-1] in ".!…" and new[-1] not in ".!?" and not right[:1].strip():
        new += "."
    return _article_mended(left, new + right) + new + right


def _opens(left: str) -> bool:
    """Whether what follows `left` opens a sentence: behind one's end, on a line of its own, after a bullet."""
    before = left.rstrip()
    blanks = left[len(before) :]
    if before[-1:] in _BULLETS and (len(before) < 2 or before[-2].isspace() or before[-2] in _SENTENCE_ENDS):
        left = before[:-1]
        before = left.rstrip()
        blanks += left[len(before) :]
    if not before or "\n" in blanks:
        return True
    return before[-1] in _SENTENCE_ENDS or (before[-1] in '"”)' and before[-2:-1] in _SENTENCE_ENDS)


_SENTENCE_ENDS = frozenset(".!?…")
_BULLETS = frozenset('-*•>"“(')
_NEW_CLAUSE = re.compile(r"(?:[,;:)\]–—-]|\b(?:and|but|so|well|[@#][\w.-]+))\s*$", re.IGNORECASE)
_CLAUSE_OVER = re.compile(r"\s*(?:[^\w\s@#'’]|\n|\Z|(?:and|but|so|because|when|if|or)\b)", re.IGNORECASE)
_SENTENCE_OVER = re.compile(r"\s*(?:[.!?…,;–—\n]|-\s|\Z)")
_QUESTION = re.compile(
    r"(?:^|[,.:!] )(?:could|can|would|what|who|how|why|when|where|did|is|are|do|shall)\b", re.IGNORECASE
)


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
