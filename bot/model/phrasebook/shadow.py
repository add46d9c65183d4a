"""The shadow: a draft as the patterns see it, character for character of the same length. Pure."""

import re

from bot.particulars import PLACEHOLDER

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


def shadow_of(text: str, rude: dict[int, list[str]]) -> str:
    """The text, character for character, in small letters and with what its author only quotes hidden."""
    return _MASKED_WORD.sub(lambda word: _unmasked(word.group(), rude), _without_quotations(text))


def own_words(text: str) -> str:
    """The text in small letters, with blanks where its author only quotes: code, links, names, quotations."""
    return _without_quotations(text).replace(_HIDDEN, " ")


def _without_quotations(text: str) -> str:
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(small if len(small := each.lower()) == 1 else each for each in text)
    shadow = _NOT_ONES_OWN_WORDS.sub(_hide, lower.translate(_PLAIN).replace(_HIDDEN, " "))
    return _QUOTATION.sub(lambda quotation: _hide_quotation(quotation, shadow), shadow)


def plain_forms(word: str) -> tuple[str, ...]:
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


def word_end(text: str, end: int) -> int:
    """Where the word ends that ends at `end` in the shadow: `idiottt` is longer than what it means."""
    while end < len(text) and text[end].isalpha() and text[end - 1].isalpha():
        end += 1
    return end


class Shadow:
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
