"""What can be checked of a rewrite without another model: that it says what the draft says, and is one. Pure."""

import re

from bot.particulars import PLACEHOLDER, differences
from bot.verdict import one_line

LENGTH_FACTOR = 2.0
LENGTH_SLACK = 80
LENGTH_FLOOR = 0.2


def keeps_particulars(draft: str, rewrite: str) -> bool:
    """Whether every number, link, address, mention and placeholder of the draft is in the rewrite."""
    return not differences(draft, rewrite)[0]


def keeps_names(draft: str, rewrite: str, language: str = "en") -> bool:
    """Whether every name of the draft is in the rewrite, however it is capitalised there."""
    return {_plain(name) for name in names(draft, language)} <= _words(rewrite)


def adds_nothing(draft: str, rewrite: str, language: str = "en") -> bool:
    """Whether the rewrite has no number, link, address, mention, placeholder or name that the draft lacks.

    A word that opens a sentence of the rewrite is not taken for a name: it has to start with a capital anyway.
    """
    added_names = {_plain(name) for name in _inside_sentences(rewrite, language)} - _words(draft)
    return not differences(draft, rewrite)[1] and not added_names


def differs(draft: str, rewrite: str) -> bool:
    """Whether a word was changed, not only the punctuation, the emoji or the capitals."""
    return plain(draft) != plain(rewrite)


def plain(text: str) -> str:
    """The words alone, in small letters, with one space between them."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def sane_length(draft: str, rewrite: str) -> bool:
    """Whether the rewrite has between a fifth and twice the draft's characters, and 80 more at the top.

    The 80 are for drafts of one or two words, which no kind sentence can match.
    """
    before, after = len(one_line(draft)), len(one_line(rewrite))
    return LENGTH_FLOOR * before <= after <= LENGTH_FACTOR * before + LENGTH_SLACK


def names(text: str, language: str = "en") -> tuple[str, ...]:
    """The names in a text, as they are written there: people, places, products, and the names of days and months.

    A name is a word with a capital inside a sentence. A word that opens a sentence is one only in English, and only
    where it is spoken to ("Tom, can you") or owns something ("Tom's desk"). German writes every noun with a capital
    and Japanese has none, so there no names are found rather than wrong ones. A word all in capitals is an acronym or
    shouting, and none either.
    """
    addressed = _ADDRESSED.findall(_prose(text)) if language == "en" else []
    spoken_to = [name for name in addressed if _is_name(name) and not name.endswith("ly")]  # "Honestly, you"
    return tuple(dict.fromkeys([*spoken_to, *_inside_sentences(text, language)]))


_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_NOT_PROSE = re.compile(r"^\W*(?:[@#]\w|www\.|\w+://)|\w@\w|\w\.\w|://", re.IGNORECASE)
"""A token that is a mention, a channel, a link, an address or a file name."""
_ENDS_SENTENCE = re.compile(r"[.!?…:;>][\"'”’»)\]*_~]*$")
_TITLES = {"mr", "mrs", "ms", "dr", "prof", "st"}
_ADDRESSED = re.compile(
    r"""(?:^|(?<=[.!?…:;]\s)|(?<=[.!?…:;]["'”’»)]\s))[^\S\n]*+[^\w\s]*+([^\W\d_]+(?:-[^\W\d_]+)*)(?=,|['’]s\b)""",
    re.MULTILINE,
)
_NOUNS_HAVE_CAPITALS = {"de", "lb"}
_COMMON = _TITLES | set(
    """
    a absolutely again ah aha alright also amazing an and anyway apologies are awesome aww be because besides
    boss boy brilliant bro btw buddy but bye can cheers come congrats congratulations cool correct could dad day
    dear did do dude enough everybody everyone everything exactly excellent fantastic finally fine first folks
    for friends from funny gee genius girl girls go god good gosh grandma grandpa granny great guess guys ha had
    haha happy has have he hello her here hey hi his hm hmm hold honey how however i if in instead interesting
    is it its just last later left let listen lol look love lovely man mate maybe me meanwhile mom morning mum
    my nah never next nice night no nobody nope not nothing now of oh ok okay on once one oops or otherwise ouch
    our overall pal perfect perhaps phew please question really relax reminder right say second see she should
    sir so somebody someone something sorry still stop sure sweet team thank thanks that the their then there
    these they third this though to today tomorrow tonight true ugh update us wait was we welcome well were what
    whatever when where which who why with wonderful would wow yay yeah yep yes yesterday yikes yo you your
    yours yup
    """.split()  # noqa: SIM905  # a literal would put each of them on a line of its own
)
"""Words that get a capital at the start of a sentence, or for emphasis, and are nobody's name."""


def _inside_sentences(text: str, language: str) -> list[str]:
    if language in _NOUNS_HAVE_CAPITALS:
        return []
    found: list[str] = []
    for line in _prose(text).splitlines():
        opening = True
        for token in line.split():
            words = list(_WORD.finditer(token))
            if _NOT_PROSE.search(token):
                pass
            elif words:
                # What stands in quotes or brackets starts anew: she said "Fine".
                before = token[: words[0].start()]
                opening = opening or (bool(before) and not before.isalnum())
                found += [match.group() for match in words[1 if opening else 0 :] if _is_name(match.group())]
                opening = False
            elif not any(character.isalnum() for character in token):
                # A dash, a bullet or an emoji often stands where a full stop could; "&" and "+" join.
                opening = token not in {"&", "+", "/"}
                continue
            if _ENDS_SENTENCE.search(token) and _plain(token.rstrip(".")) not in _TITLES:
                opening = True
    return [_bare(name) for name in found]


def _prose(text: str) -> str:
    return PLACEHOLDER.sub(" ", _CODE.sub(" ", text))


def _is_name(word: str) -> bool:
    word = _bare(word)
    return word[:1].isupper() and any(character.islower() for character in word) and _plain(word) not in _COMMON


def _bare(word: str) -> str:
    """The word without a possessive or a contraction: Tom's, Tom'll, James'; O'Brien stays."""
    return re.sub(r"['’](?:s|ll|d|re|ve|m)?$", "", word, flags=re.IGNORECASE)


def _plain(word: str) -> str:
    return _bare(word).casefold()


def _words(text: str) -> set[str]:
    found = {_plain(match.group()) for match in _WORD.finditer(text)}
    # "the Berlin-Hamburg train" keeps Berlin and Hamburg.
    return found | {part for word in found for part in word.split("-")}
