"""Slack's mrkdwn, in and out: what its author meant, and a rewrite that does nothing its author did not. Pure.

A model reads the text as its author saw it. What only Slack can write (a mention, a channel, a link, a date) stands in
it as a numbered placeholder with a readable hint, `[[1:@Maria]]`, and comes back from a rewrite as exactly what it was.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from bot.particulars import differences
from bot.verdict import one_line

MAX_HINT = 60
"""Characters of a hint: enough to tell two links apart, too few to fill a draft with one."""

_ENTITY = re.compile(r"<(?P<target>[@#!][^<>|\n]*|[a-zA-Z][\w+.-]*:[^<>|\n]*)(?:\|(?P<label>[^<>\n]*))?>")
# Models escape brackets, drop the hint, or change it; the number is what counts.
_PLACEHOLDER = re.compile(
    r"(?:\[\[|\\\[\\\[)[ \t]*(?P<number>[0-9]+)[ \t]*(?:[:：](?P<hint>[^\[\]\n]*?))?(?:\]\]|\\\]\\\])"
)
_ESCAPED = re.compile(r"&(lt|gt|amp);")
_MEANT = {"lt": "<", "gt": ">", "amp": "&"}

_WORD_JOINER = "\N{WORD JOINER}"
"""Can't be seen, and keeps what it stands in from being read as a mention or a link, by Slack or once it is pasted."""
_LIVE = re.compile(
    r"""
      <(?=[@\#!])                                         # Slack's own spelling, were it ever not escaped
    | @(?=\S)                                             # @here, @maria, name@host
    | \#(?=[^\W\d_])                                      # #channel, but not #12
    | :(?=//)                                             # any scheme://
    | (?:mailto|tel|sms|facetime|skype|slack):(?=\S)
    | (?<=\w)[.。．｡](?=[^\W\d_]{2})                         # a bare host.name, in any script's full stop
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BEFORE, _AFTER = "\"'“‘([{*_~`", "\"'”’)]},.;:!?*_~`…"
"""What may stand before and after a word without being part of it."""


@dataclass(frozen=True)
class Entity:
    """One `<...>` of Slack's: `mrkdwn` exactly as it stood, `target` and `label` taken apart, `hint` for a reader."""

    mrkdwn: str
    target: str
    label: str

    @property
    def hint(self) -> str:
        shown = self.label or self._fallback()
        return one_line(shown.replace("[", "(").replace("]", ")"))[:MAX_HINT] or "something"

    def _fallback(self) -> str:
        kind, name = self.target[0], self.target[1:]
        if kind == "@":
            return "@someone"
        if kind == "#":
            return "#a-channel"
        if kind != "!":
            return self.target.removeprefix("mailto:").removeprefix("tel:")
        if name in ("here", "channel", "everyone"):
            return f"@{name}"
        if name.startswith("subteam^"):
            return "@a-group"
        return "a date" if name.startswith("date^") else "something"


def _entity(match: re.Match[str]) -> Entity:
    target, label = match["target"], meant(match["label"] or "")
    mark = {"@": "@", "#": "#"}.get(
        target[0], "@" if target.startswith(("!subteam^", "!here", "!channel", "!every")) else ""
    )
    return Entity(match.group(), meant(target), label if not label or label.startswith(mark) else f"{mark}{label}")


@dataclass(frozen=True)
class Rewrite:
    """A model's rewrite, safe to show: plain text and the draft's own entities, in order.

    `lost` and `added` are the links, mentions and numbers in which it differs from the draft, as a reader knows them.
    """

    parts: tuple[str | Entity, ...]
    lost: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def mrkdwn(self) -> str:
        return "".join(escape(part) if isinstance(part, str) else part.mrkdwn for part in self.parts)

    @property
    def hinted(self) -> str:
        """As words alone: a link may be its label."""
        return "".join(part if isinstance(part, str) else part.hint for part in self.parts)

    @property
    def plain(self) -> str:
        """As a person would type it, for an input where only letters can stand."""
        return "".join(part if isinstance(part, str) else typed(part) for part in self.parts)


@dataclass(frozen=True)
class Written:
    """What a person wrote: `text` for a model to read, and the entities behind its placeholders, by number."""

    text: str
    entities: Mapping[str, Entity] = field(default_factory=dict)

    def restore(self, rewrite: str) -> Rewrite:
        """The rewrite with each placeholder put back once, and nothing else in it that would ring or link."""
        parts = self._with_entities(_whole(cleaned(rewrite)))
        numbers = {id(entity): number for number, entity in self.entities.items()}
        # Models change hints; only with the draft's own can the two texts be compared.
        comparable = "".join(
            part if isinstance(part, str) else f"[[{numbers[id(part)]}:{part.hint}]]" for part in parts
        )
        lost, added = differences(self.text, comparable)
        kept = {part.mrkdwn for part in parts if isinstance(part, Entity)}
        names = {part.hint.casefold() for part in parts if isinstance(part, Entity)}
        return Rewrite(
            tuple(part if isinstance(part, Entity) else self.defused(part) for part in parts),
            tuple(self._shown(item) for item in lost if self._mrkdwn(item) not in kept),
            tuple(self._shown(item) for item in added if item.casefold() not in names),
        )

    def quoted(self, words: str) -> str:
        """A model's words, or words of the draft, as plain text to show: placeholders as their hints, nothing live."""
        return self.defused(_PLACEHOLDER.sub(self._hint, _whole(cleaned(words))))

    def defused(self, text: str) -> str:
        """The text with every mention and link that the author did not type broken by a mark that can't be seen."""
        known = self._typed_words
        return re.sub(
            r"\S+",
            lambda word: word.group() if _bare(word.group()) in known else _LIVE.sub(_broken, word.group()),
            text,
        )

    @cached_property
    def _typed_text(self) -> str:
        return _PLACEHOLDER.sub(lambda match: " " if match["number"] in self.entities else match.group(), self.text)

    @cached_property
    def _typed_words(self) -> frozenset[str]:
        return frozenset(map(_bare, self._typed_text.split()))

    def _with_entities(self, rewrite: str) -> list[str | Entity]:
        left = dict(self.entities)
        pieces: list[str | Entity] = []
        at = 0
        for match in _PLACEHOLDER.finditer(rewrite):
            # The author's own brackets stay; a number that is used up or invented becomes words.
            entity = left.pop(match["number"], None)
            pieces += [rewrite[at : match.start()], self._hint(match) if entity is None else entity]
            at = match.end()
        pieces.append(rewrite[at:])
        names = self._nameable(left)
        return [
            piece
            for is_text, group in groupby(pieces, lambda piece: isinstance(piece, str))
            for piece in (_named("".join(map(str, group)), names) if is_text else group)
            if piece
        ]

    def _nameable(self, left: dict[str, Entity]) -> dict[str, Entity]:
        """The entities of `left` that a model may have written out (`@Maria`, a whole link), by their names."""
        by_name: dict[str, list[Entity]] = {}
        for entity in left.values():
            name = typed(entity)
            if re.match(r"[@#]|\w+://", name) and name not in self._typed_text:
                by_name.setdefault(name, []).append(entity)
        return {name: same[0] for name, same in by_name.items() if len(set(same)) == 1}

    def _typed(self, match: re.Match[str]) -> bool:
        return match["number"] not in self.entities and match.group() in self.text

    def _hint(self, match: re.Match[str]) -> str:
        entity = self.entities.get(match["number"])
        if entity is not None:
            return entity.hint
        return match.group() if self._typed(match) else one_line(match["hint"] or "")

    def _mrkdwn(self, particular: str) -> str | None:
        match = _PLACEHOLDER.fullmatch(particular)
        entity = self.entities.get(match["number"]) if match else None
        return entity.mrkdwn if entity else None

    def _shown(self, particular: str) -> str:
        return self.quoted(particular)[:MAX_HINT]


def read(mrkdwn: str) -> Written:
    """What the author of Slack's `mrkdwn` meant."""
    mrkdwn = cleaned(mrkdwn)
    # A number that the author typed in such brackets is not ours to give.
    taken = {match["number"] for match in _PLACEHOLDER.finditer(meant(mrkdwn))}
    entities: dict[str, Entity] = {}
    numbers = (str(number) for number in range(1, len(mrkdwn) + len(taken) + 2) if str(number) not in taken)
    text, at = "", 0
    for match in _ENTITY.finditer(mrkdwn):
        entity, number = _entity(match), next(numbers)
        entities[number] = entity
        text += f"{meant(mrkdwn[at : match.start()])}[[{number}:{entity.hint}]]"
        at = match.end()
    return Written(text + meant(mrkdwn[at:]), entities)


def meant(escaped: str) -> str:
    """Slack's three escapes undone, once."""
    return _ESCAPED.sub(lambda match: _MEANT[match[1]], escaped)


def escape(text: str) -> str:
    """Plain text as mrkdwn that shows exactly it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(entity: Entity) -> str:
    """An entity as a person types it: a link as its address, everything else as its name."""
    return entity.hint if entity.target[0] in "@#!" or entity.target.startswith(("mailto:", "tel:")) else entity.target


def clipped(text: str, most: int) -> str:
    """The text, cut at `most` characters with an ellipsis where it is longer."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def cleaned(text: str) -> str:
    """Without control characters and marks that turn the direction of writing: nobody means them in a message."""
    return "".join(
        character
        for character in text
        if character in "\n\t" or (unicodedata.category(character) != "Cc" and character not in _TURNING)
    )


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _whole(text: str) -> str:
    """Without halves of characters, which nothing after us could encode."""
    return text.encode("utf-8", "ignore").decode("utf-8")


def _named(text: str, names: dict[str, Entity]) -> Iterator[str | Entity]:
    """The text with the first standing of each name made its entity; what is used leaves `names`."""
    if names:
        longest_first = sorted(names, key=len, reverse=True)
        at = 0
        for match in re.finditer(rf"(?<![\w@#/.-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w@/-]|\.\w)", text):
            if match.group() in names:
                yield text[at : match.start()]
                yield names.pop(match.group())
                at = match.end()
        text = text[at:]
    yield text


def _bare(word: str) -> str:
    return word.lstrip(_BEFORE).rstrip(_AFTER)


def _broken(match: re.Match[str]) -> str:
    return match.group() + _WORD_JOINER
