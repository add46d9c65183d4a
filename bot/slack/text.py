"""Slack's mrkdwn, in and out: what its author meant, and a rewrite that does nothing its author did not. Pure.

A model reads the text as its author saw it. What only Slack can write (a mention, a channel, a link, a date) stands in
it as a numbered placeholder with a readable hint, `[[1:@Maria]]`, and comes back from a rewrite as exactly what it was.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import islice

from bot.particulars import PLACEHOLDER
from bot.verdict import one_line

MAX_HINT = 60
"""Characters of a hint: enough to tell two links apart, too few to fill a draft with one."""

ENTITY = re.compile(r"<(?P<target>[@#!][^<>|\n]*|[a-zA-Z][\w+.-]*:[^<>|\n]*)(?:\|(?P<label>[^<>\n]*))?>")
"""What only Slack can write: a mention, a channel, a broadcast, a link, a date."""
EMOJI = re.compile(r"(?<![\w:]):(?P<name>[a-z0-9_'+-]{1,100}):(?::skin-tone-(?P<skin>[2-6]):)?(?![\w:])")
_WORD = re.compile(r"\S+")
_ESCAPED = re.compile(r"&(lt|gt|amp);")
_MEANT = {"lt": "<", "gt": ">", "amp": "&"}
MAX_PARTICULARS = 6
"""How many of what a rewrite lost or added are named."""
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for line breaks and tabs, and marks that turn the direction of writing."""

_WORD_JOINER = "\N{WORD JOINER}"
"""Can't be seen, and keeps what it stands in from being read as a mention or a link, by Slack or once it is pasted."""
_UNSEEN = r"[\xad\u034f\u061c\u180b-\u180f\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff]*+"
"""Joiners, soft hyphens and selectors: a host name with one in it is the host name without, to Slack."""
LIVE = re.compile(
    rf"""
      <(?=[@\#!])                                         # Slack's own spelling, were it ever not escaped
    | [@＠﹫](?=\S)                                       # @here, @maria, name@host
    | [\#＃﹟](?=[^\s.,;:!?)\]}}'"”’])                      # #channel, #2024-plans
    | :(?={_UNSEEN}/{_UNSEEN}/)                           # any scheme://
    | (?:mailto|tel|sms|facetime|skype|slack):(?=\S)
    # A bare host.name, in any script and with any script's full stop: Slack links names of emoji, too. One letter is no
    # domain ("e.g."), unless signs make it more. Breaking a full stop too many can't be seen; one too few is a link.
    | (?<=[^\s.…])[.․﹒．。｡](?={_UNSEEN}[^\W\d_](?:[a-z0-9-]|[^\x00-\x7f]))
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What Slack, or a composer that the text is pasted into, makes a mention, a channel or a link of."""
_BEFORE, _AFTER = "\"'“‘([{*_~`", "\"'”’)]},.;:!?*_~`…"
"""What may stand before and after a word without being part of it."""
_ENTITY_HERE = "\x00"
"""Where an entity will stand; nothing else can, since `cleaned` takes it away."""


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

    `hinted` is the same as words alone, in which a link may be its label. `lost` and `added` are the first few of the
    links, mentions and numbers in which it differs from the draft, as a reader knows them.
    """

    parts: tuple[str | Entity, ...]
    hinted: str
    lost: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def mrkdwn(self) -> str:
        return "".join(escape(part) if isinstance(part, str) else part.mrkdwn for part in self.parts)

    @property
    def plain(self) -> str:
        """As a person would type it, for an input where only letters can stand."""
        return "".join(part if isinstance(part, str) else typed(part) for part in self.parts)


class Origin(StrEnum):
    """Whose words are checked, and whether they are out."""

    DRAFT = "draft"
    SENT = "sent"
    OTHERS = "others"


@dataclass(frozen=True)
class Written:
    """What a person wrote: `text` for a model to read, and the entities behind its placeholders, by number."""

    text: str
    entities: Mapping[str, Entity] = field(default_factory=dict)

    def restore(self, rewrite: str, lost: Sequence[str] = (), added: Sequence[str] = ()) -> Rewrite:
        """The rewrite with each placeholder put back once, and nothing else in it that would ring or link.

        `lost` and `added` are the particulars in which the verdict found the two to differ.
        """
        parts = self._with_entities(_whole(cleaned(rewrite)))
        words = "".join(part for part in parts if isinstance(part, str)).casefold()
        kept = {part.mrkdwn for part in parts if isinstance(part, Entity)}
        return Rewrite(
            tuple(part if isinstance(part, Entity) else self.defused(part) for part in parts),
            self.defused("".join(part if isinstance(part, str) else part.hint for part in parts)),
            # A second mention of somebody who is mentioned is no loss, and what became an entity is not new.
            self._shown(item for item in lost if self._mrkdwn(item) not in kept),
            self._shown(item for item in added if item.casefold() in words),
        )

    def quoted(self, words: str) -> str:
        """A model's words, or words of the draft, as plain text to show: placeholders as their hints, nothing live."""
        return self.defused(PLACEHOLDER.sub(self._hint, _whole(cleaned(words))))

    def defused(self, text: str) -> str:
        """The text with every mention and link that the author did not type broken by a mark that can't be seen."""
        known = self._typed_words
        return _WORD.sub(lambda word: word.group() if _bare(word.group()) in known else broken(word.group()), text)

    @cached_property
    def emoji(self) -> frozenset[str]:
        """The names of the draft's `:emoji:`, which the workspace has; of others nobody can know."""
        return frozenset(match["name"] for match in EMOJI.finditer(self.text))

    @cached_property
    def _typed_text(self) -> str:
        return PLACEHOLDER.sub(lambda match: " " if match["number"] in self.entities else match.group(), self.text)

    @cached_property
    def _typed_words(self) -> frozenset[str]:
        return frozenset(map(_bare, self._typed_text.split()))

    def _with_entities(self, rewrite: str) -> list[str | Entity]:
        left, placed = dict(self.entities), list[Entity]()

        def place(match: re.Match[str]) -> str:
            # The author's own brackets stay; a number that is used up or invented becomes words.
            entity = left.pop(match["number"], None)
            if entity is None:
                return self._hint(match)
            placed.append(entity)
            return _ENTITY_HERE

        marked = PLACEHOLDER.sub(place, rewrite)
        waiting, pieces, at = iter(placed), list[str | Entity](), 0

        def text(words: str) -> None:
            first, *others = words.split(_ENTITY_HERE)
            pieces.append(first)
            for other in others:
                pieces.extend((next(waiting), other))

        for start, end, entity in _named(marked, self._nameable(left)):
            text(marked[at:start])
            pieces.append(entity)
            at = end
        text(marked[at:])
        return [piece for piece in pieces if piece]

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
        match = PLACEHOLDER.fullmatch(particular)
        entity = self.entities.get(match["number"]) if match else None
        return entity.mrkdwn if entity else None

    def _shown(self, particulars: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.quoted(each)[:MAX_HINT] for each in islice(particulars, MAX_PARTICULARS + 1))


def read(mrkdwn: str) -> Written:
    """What the author of Slack's `mrkdwn` meant."""
    mrkdwn = cleaned(mrkdwn)
    # A number that the author typed in such brackets is not ours to give.
    taken = {match["number"] for match in PLACEHOLDER.finditer(meant(mrkdwn))}
    entities: dict[str, Entity] = {}
    numbers = (str(number) for number in range(1, len(mrkdwn) + len(taken) + 2) if str(number) not in taken)
    text, at = list[str](), 0
    for match in ENTITY.finditer(mrkdwn):
        entity, number = _entity(match), next(numbers)
        entities[number] = entity
        text += [meant(mrkdwn[at : match.start()]), f"[[{number}:{entity.hint}]]"]
        at = match.end()
    return Written("".join([*text, meant(mrkdwn[at:])]), entities)


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


def size(text: str) -> int:
    """Of a text as Slack may count it: in UTF-8, which is never less than in UTF-16."""
    return len(text.encode("utf-8", "surrogatepass"))


def cleaned(text: str) -> str:
    """Without control characters and marks that turn the direction of writing: nobody means them in a message."""
    return _UNWANTED.sub("", text)


def _whole(text: str) -> str:
    """Without halves of characters, which nothing after us could encode."""
    return text.encode("utf-8", "ignore").decode("utf-8")


def _named(text: str, names: Mapping[str, Entity]) -> list[tuple[int, int, Entity]]:
    """Where each name first stands in the text as a word of its own, in order, the longer of two that overlap."""
    found = []
    for name, entity in names.items():
        start = text.find(name)
        while start != -1:
            end = start + len(name)
            if not _IN_A_WORD_BEFORE.match(text, max(start - 1, 0), start) and not _IN_A_WORD_AFTER.match(text, end):
                found.append((start, end, entity))
                break
            start = text.find(name, end)
    free, apart = 0, []
    for start, end, entity in sorted(found, key=lambda each: (each[0], -each[1])):
        if start >= free:
            apart.append((start, end, entity))
            free = end
    return apart


_IN_A_WORD_BEFORE, _IN_A_WORD_AFTER = re.compile(r"[\w@#/.-]"), re.compile(r"[\w@/-]|\.\w")


def _bare(word: str) -> str:
    return word.lstrip(_BEFORE).rstrip(_AFTER)


def broken(text: str) -> str:
    """The text with each mention and link in it broken by a mark that can't be seen."""
    return LIVE.sub(lambda match: match.group() + _WORD_JOINER, text)
