"""Text as Block Kit's rich text: links, mentions and emoji as elements of their own. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from bot.slack.text import EMOJI, Entity, broken, size, typed

Element = dict[str, Any]

MAX_URL = 3_000
_ID = r"[A-Z0-9]{1,30}"
"""Slack's ids are about eleven characters; it refuses all blocks over one that is far too long."""
_KINDS = [
    (re.compile(pattern), kind, field)
    for pattern, kind, field in (
        (rf"@([UW]{_ID})", "user", "user_id"),
        (rf"#([CDG]{_ID})", "channel", "channel_id"),
        (rf"!subteam\^(S{_ID})", "usergroup", "usergroup_id"),
        (r"!(here|channel|everyone)", "broadcast", "range"),
        (r"((?:https?://|mailto:)\S{1,2900})", "link", "url"),
    )
]


def elements(parts: Iterable[str | Entity], emoji: Collection[str] = ()) -> list[Element]:
    """The parts as elements. `:name:` is an emoji where `emoji` has its name, and letters elsewhere."""
    found: list[Element] = []
    for part in parts:
        found += [_entity(part)] if isinstance(part, Entity) else _words(part, emoji)
    return found


def ready_to_copy(elements: list[Element]) -> Element:
    """One piece that can be copied with one gesture.

    Slack has a copy button on preformatted text, in which only letters and links can stand. What has a mention or an
    emoji in it is a quote, in which they stay what they are when they are copied.
    """
    letters_only = all(element["type"] in ("text", "link") for element in elements)
    return {"type": "rich_text_preformatted" if letters_only else "rich_text_quote", "elements": elements}


def _words(text: str, emoji: Collection[str]) -> Iterator[Element]:
    at = 0
    for match in EMOJI.finditer(text):
        if match["name"] not in emoji:
            continue
        if match.start() > at:
            yield {"type": "text", "text": text[at : match.start()]}
        skin = {"skin_tone": int(match["skin"])} if match["skin"] else {}
        yield {"type": "emoji", "name": match["name"], **skin}
        at = match.end()
    if at < len(text):
        yield {"type": "text", "text": text[at:]}


def _entity(entity: Entity) -> Element:
    """The entity as rich text has it; what rich text has no element for is words: an address whole, a name harmless."""
    for pattern, kind, field in _KINDS:
        match = pattern.fullmatch(entity.target)
        if match and size(match[1]) <= MAX_URL:
            label = {"text": entity.label} if kind == "link" and entity.label else {}
            return {"type": kind, field: match[1], **label}
    words = typed(entity)
    return {"type": "text", "text": words if words == entity.target else broken(words)}
