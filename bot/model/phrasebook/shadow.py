"""The shadow: a draft as the patterns see it, with one byte for each character. Pure."""

import re
import unicodedata

from bot.particulars import PLACEHOLDER

# Signs of a shadow that no draft can write.
HIDDEN, START, END = "\0", "\1", "\3"
"""What the author only quotes; the blank before a sentence's first word; the blank before what ends a sentence."""
FOREIGN, SIGN, DASH, ELLIPSIS = "_", "\xa7", "\x96", "\x85"
"""A letter without a Latin base; an emoji or another sign; a long dash; three dots in one."""

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("’‘ʼ´", "'"),
        **dict.fromkeys("“”„", '"'),
        **dict.fromkeys("–—", DASH),
        **dict.fromkeys("\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029", "\n"),
        **dict.fromkeys(map(chr, range(9)), " "),
        "…": ELLIPSIS,
        "\t": " ",
    }
)
_NOT_ONES_OWN_WORDS = re.compile(
    rf"""
      (?<!`)```(?:[^`]|`(?!``))*+``` | `[^`\n]++`       # code
    | ^[ ]{{0,3}}(?:>|&gt;).*$                         # quoted lines
    | {PLACEHOLDER.pattern}
    | (?:https?://|www\.)[^\s<>|]+ | (?<![\w.+-])[\w.+-]{{1,64}}+@[\w-]+(?:\.[\w-]+)+
    | (?<![\w:]):[\w+-]++:                              # emoji names
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

_MARKUP = re.compile(r"(?<![a-z0-9])_|_(?![a-z0-9])")
_JOINT = re.compile(r"(?<=[a-z0-9])[-/](?=[a-z0-9])")
_EMOTICON = re.compile(r"(?<!\S)[:;]-?[()dp3](?![a-z0-9])")
_ENDS = r"[^a-z0-9_ ,'\0/&%$#@(\1-]"
_BEFORE_AN_END = re.compile(rf"(?<! ) (?= *+{_ENDS})")
_BEFORE_A_START = re.compile(rf"[.!?{ELLIPSIS}:;\n){SIGN}][ \0\3\"'(*~>{DASH}{SIGN}-]*")
_OPENER = re.compile(
    rf"(?:(?:well|so|ok|okay|oh|ah|wow|and|but|hey|hi|yeah|yep|yes|no|nah|lol|haha|look|listen|sorry|honestly|please|"
    rf"dude|man|bro|guys|jesus|god|omg|ugh)\b[,! \0{DASH}-]{{1,3}}|\w{{2,15}},[ \0])"
)


RudeWords = dict[tuple[str, int], list[str]]
"""The words that people half hide, by their first letter and length."""


class _Bytes(dict[int, str]):
    """The byte of each character: its Latin letter without accents, or what kind of character it is."""

    def __missing__(self, code: int) -> str:
        self[code] = made = self._made(chr(code))
        return made

    @staticmethod
    def _made(character: str) -> str:
        if character.isascii() or character in (SIGN, DASH, ELLIPSIS):
            return character
        base = unicodedata.normalize("NFKD", character)[0]
        if base.isascii() and base.isalnum():
            return base.lower()
        kind = unicodedata.category(character)[0]
        return FOREIGN if kind in "LMN" else " " if kind in "ZC" else SIGN


_BYTES = _Bytes()


class Shadow:
    """A text as the patterns see it: `data` begins and ends with a line break that is not the text's.

    Small letters without accents; one byte for each character, so that what is found in `data` from `start` to `end`
    is `text[start - 1 : end - 1]`.
    """

    def __init__(self, text: str, rude: RudeWords) -> None:
        shadow = _MASKED_WORD.sub(lambda word: _unmasked(word.group(), rude), _own_words(text))
        shadow = _JOINT.sub("_", _MARKUP.sub("*", shadow)).translate(_BYTES)
        shadow = _EMOTICON.sub(lambda found: SIGN * len(found.group()), shadow)
        self.data = _with_starts(_BEFORE_AN_END.sub(END, f"\n{shadow}\n")).encode("latin-1")


def own_words(text: str) -> str:
    """The text in small letters, with blanks where its author only quotes: code, links, names, quotations."""
    return _own_words(text).replace(HIDDEN, " ")


def plain_forms(word: str) -> tuple[str, ...]:
    """The words that an item of a word list stands for, where it is no more than a word and its plural."""
    stem = word.removesuffix("s?")
    return (stem, stem + "s") if stem != word and stem.isalpha() else (word,) if word.isalpha() else ()


def word_end(text: str, end: int) -> int:
    """Where the word ends that ends at `end` in the shadow: `idiottt` is longer than what it means."""
    while end < len(text) and text[end].isalpha() and text[end - 1].isalpha():
        end += 1
    return end


def _own_words(text: str) -> str:
    """The text, character for character, in small letters and with what its author only quotes hidden."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(small if len(small := each.lower()) == 1 else each for each in text)
    shadow = _NOT_ONES_OWN_WORDS.sub(_hide, lower.translate(_PLAIN))
    return _QUOTATION.sub(lambda quotation: _hide_quotation(quotation, shadow), shadow)


def _hide(match: re.Match[str]) -> str:
    return HIDDEN * len(match.group())


def _hide_quotation(quotation: re.Match[str], shadow: str) -> str:
    """Words in quotation marks are somebody else's, but for those around a whole draft or in 'your "help"'."""
    start, end = quotation.span()
    whole = not (start and shadow[:start].strip()) and not shadow[end:].strip()
    return quotation.group() if whole or _ONES_OWN.search(shadow[max(0, start - 12) : start]) else _hide(quotation)


def _unmasked(word: str, rude: RudeWords) -> str:
    """`f**k`, `stup1d` and `idiooot` as the words they mean, of the same length."""
    if word.isalpha():
        if _STRETCHED.search(word):
            for shorter in (_STRETCHED.sub(r"\1", word), _STRETCHED.sub(r"\1\1", word)):
                if shorter in rude.get((word[0], len(shorter)), ()):
                    return shorter.ljust(len(word))
        return word
    # Of three letters, one star leaves too many words it could be.
    if len(word) < 4 and "*" in word:
        return word
    plain = word.translate(_UNMASK)
    for candidate in rude.get((word[0], len(word)), ()):
        if all(shown in (letter, "*") for shown, letter in zip(plain, candidate, strict=True)):
            return candidate
    return word


def _with_starts(shadow: str) -> str:
    """The shadow with `START` in the blank before each sentence, and before what follows its "well, " or "Tom, "."""
    marked = list(shadow)
    for found in _BEFORE_A_START.finditer(shadow):
        at: int | None = found.end()
        for _ in range(3):
            if at is None:
                break
            if marked[at - 1] in " \0\"'(*~>-\3" or marked[at - 1] == DASH:
                marked[at - 1] = START
            opener = _OPENER.match(shadow, at)
            at = opener.end() if opener else None
    return "".join(marked)
