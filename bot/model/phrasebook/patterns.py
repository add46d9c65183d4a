"""How phrases are written in phrasebook.yml, and how they are found in a shadow.

They are compiled by RE2, whose time is linear in the text whatever the pattern: Python's own `re` takes seconds for the
worst drafts. RE2 looks neither ahead nor behind; the shadow marks where sentences start and end, and what a pattern
needs to see before or after its words is matched and then left out.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

import re2

from bot.model.phrasebook.shadow import DASH, ELLIPSIS, Shadow

_BLANKS = r" \n\x00\x01\x03"
_PIECES = {
    "some": r"[^.!?\n]+?",
    "start": r"[\x01\n]",
    "end": r"[^a-z0-9_ ,'\x00/&%$#@(\x01-]",
    "apostrophe": "(?: ?')?",
    "space": f"(?:,?[{_BLANKS}]+)",
    "dash": "[_-]",
    "blank": f"[{_BLANKS}]",
    "before": "(?P<before>",
    "after": "(?P<after>",
    "many": "+",
    "any": "*",
    "group": "(?:",
}
_PIECE = re.compile(
    r"(?P<class>\[\^?[^\]]*\])|(?P<blank>\\s)|(?P<literal>\\.|\(\?:)"
    r"|(?P<before>\(\?<=)|(?P<after>\(\?=)|<(?P<list>\w+)>|(?P<some>\.\.\.)"
    r"|(?P<start>\^)|(?P<end>\$)|(?P<apostrophe>')|(?P<space> +)|(?P<dash>-)"
    r"|(?P<any>\{0,\d\d+\})|(?P<many>\{1,\d\d+\})"
    r"|(?P<kept>\((?=(?P<name>\w+)=)\w+=)|(?P<group>\()"
)
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.log_errors = False


class Pattern:
    """A phrasebook pattern. Raises re2.error where it can't be compiled."""

    def __init__(self, written: str, words: "WordLists") -> None:
        self.written = written
        self.anchors = words.anchors_of(written)
        before = "" if written.startswith(("^", "(?<=")) else r"\b"
        after = "" if written.endswith(("$", "]", r"\?")) or "(?=" in written else r"\b"
        self._compiled = re2.compile(f"{before}(?:{words.translated(written)}){after}".encode("latin-1"), _OPTIONS)
        self._groups = {name.decode(): number for name, number in self._compiled.groupindex.items()}
        self._starts, self._ends = int(written.startswith("^")), int(written.endswith("$"))

    def find(self, shadow: Shadow) -> Iterator[tuple[int, int, dict[str, tuple[int, int]]]]:
        """Start and end in the text of each match, and the span of each named group that took part."""
        data, at = shadow.data, 0
        while (match := self._compiled.search(data, at)) is not None:
            groups = {name: match.span(number) for name, number in self._groups.items()}
            start, end = match.start() + self._starts, match.end() - self._ends
            start, end = groups.pop("before", (0, start))[1], groups.pop("after", (end, 0))[0]
            # The next may begin with what this one only looked at.
            at = max(end, at + 1)
            while start < end and data[start] in _TRIMMED_LEFT:
                start += 1
            while start < end and data[end - 1] in _TRIMMED_RIGHT:
                end -= 1
            if start < end:
                yield start - 1, end - 1, {name: (a - 1, b - 1) for name, (a, b) in groups.items() if a >= 0}


class Index:
    """Which of many patterns a shadow can hold at all: those of whose anchors it has one."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._always: set[Pattern] = set()
        self._by_run: dict[bytes, list[Pattern]] = {}
        for pattern in patterns:
            for run in pattern.anchors:
                self._by_run.setdefault(run, []).append(pattern)
            if not pattern.anchors:
                self._always.add(pattern)

    def candidates(self, shadow: Shadow) -> set[Pattern]:
        data = shadow.data
        return self._always.union(*[patterns for run, patterns in self._by_run.items() if run in data])


_TRIMMED_LEFT = frozenset(b" \n\1\3,\"'")
_TRIMMED_RIGHT = frozenset(b" \n\1\3,")


class WordLists:
    """The word lists, and patterns read with them."""

    def __init__(self, lists: dict[str, tuple[str, ...]]) -> None:
        self._lists = lists
        self._translated: dict[str, str] = {}
        self._anchors: dict[str, frozenset[bytes]] = {}

    def translated(self, written: str) -> str:
        """A pattern as a regular expression."""

        def piece(match: re.Match[str]) -> str:
            if match["list"]:
                return self._list(match["list"])
            if match["name"]:
                return f"(?P<{match['name']}>"
            if match["class"]:
                return _class(match["class"])
            return match["literal"] or _PIECES[str(match.lastgroup)]

        return _PIECE.sub(piece, written).translate(_SIGNS)

    def _list(self, name: str) -> str:
        if name not in self._translated:
            self._translated[name] = "(?:" + "|".join(map(self.translated, self._lists[name])) + ")"
        return self._translated[name]

    def anchors_of(self, written: str) -> frozenset[bytes]:
        """Runs of letters of which every match holds at least one, cheap to look for; empty where there are none."""
        return self._best_of_branches(iter(_ANCHOR_PIECE.findall(written)))

    def _best_of_branches(self, pieces: Iterator[str]) -> frozenset[bytes]:
        branches: list[frozenset[bytes]] = []
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
            elif piece == ")":
                break
            elif piece == "|":
                branches.append(best)
                best = _NOTHING
            elif piece[0] == "<":
                element = self._anchors_of_list(piece[1:-1])
            elif piece[0].isalpha():
                element = frozenset([piece.encode()])
        if _worth(element) > _worth(best):
            best = element
        branches.append(best)
        return frozenset().union(*branches) if all(branches) else _NOTHING

    def _anchors_of_list(self, name: str) -> frozenset[bytes]:
        if name not in self._anchors:
            of_words = [self.anchors_of(word) for word in self._lists[name]]
            self._anchors[name] = frozenset().union(*of_words) if all(of_words) else _NOTHING
        return self._anchors[name]


_SIGNS = str.maketrans({"…": ELLIPSIS, "–": DASH, "—": DASH})


def _class(written: str) -> str:
    """A class of characters. Where it has a dash of its own, that joins words, too."""
    inside = written[1:-1].replace(r"\s", " ").replace(" ", _BLANKS)
    return f"[{inside}_]" if inside.startswith("-") else f"[{inside[:-1]}_-]" if inside.endswith("-") else f"[{inside}]"


_NOTHING: frozenset[bytes] = frozenset()
_ANCHOR_PIECE = re.compile(
    r"\\.|\[\^?[^\]]*\]|<\w+>|\(\w+=|\(\?(?:<?=|:)|\{[^}]*\}|[()|?*]"
    r"|[a-z](?=[?*]|\{0)|[a-z]+?(?=[a-z](?:[?*]|\{0))|[a-z]+|."
)
_EVERYDAY = frozenset(
    (  # a page of quotes and commas is no easier to read
        b"a all an and are as at be but can could d did do does for get have he her him his how i if in is it just ll "
        b"m me my no not of on one or our out r re really s she should so some t that the their them they this to u up "
        b"ve was we were what when who why will with would you your"
    ).split()
)
"""Words in so many drafts that they make poor anchors."""


@cache
def _worth(anchors: frozenset[bytes]) -> float:
    """How seldom a draft has one of them, roughly."""
    if not anchors:
        return -1
    return min(0.5 if run in _EVERYDAY else len(run) for run in anchors) - len(anchors) / 1000
