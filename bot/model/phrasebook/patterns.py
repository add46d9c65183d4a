"""How phrases are written in phrasebook.yml, and how they are found in a shadow. Pure."""

import re
from collections.abc import Iterator
from functools import cache, cached_property

from bot.model.phrasebook.shadow import Shadow

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


class Pattern:
    """A phrasebook pattern, compiled when a shadow first holds one of its anchors."""

    def __init__(self, written: str, words: "WordLists") -> None:
        self.written = written
        self._words = words
        self._anchors = words.anchors_of(written)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        before = "" if self.written.startswith("^") else r"(?<!\w)(?<!\w[-/])"
        after = "" if self.written.endswith("$") else r"(?!\w)"
        return re.compile(f"{before}(?:{self._words.translated(self.written)}){after}")

    def find(self, shadow: Shadow) -> Iterator[tuple[int, int, dict[str, tuple[int, int]]]]:
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


class WordLists:
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
