"""The particulars of a text: what a rewrite must neither lose nor invent. Pure."""

import re

PLACEHOLDER = re.compile(
    r"(?:\[\[|\\\[\\\[)[ \t]{0,9}(?P<number>[0-9]{1,9})[ \t]{0,9}(?:[:：](?P<hint>[^\[\]\n]*?))?(?:\]\]|\\\]\\\])"
)
"""What stands in a draft for something only the way in can write, `[[1:@Maria]]`: a number, and a hint to read.

Models escape the brackets, drop the hint or change it: the number is what counts.
"""

_LINK_END = r"""[^\s<>|]*[^\s<>|.,;:!?)\]}'"”’]"""  # punctuation behind a link belongs to the sentence
# Each part begins where nothing before could have begun it, and gives nothing back: linear in the text.
_PARTICULAR = re.compile(
    rf"""
      {PLACEHOLDER.pattern}
    | (?:https?://|www\.){_LINK_END}
    | (?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+
    | (?<![\w-])(?<!\w\.)(?<!-\.)(?:[\w-]++\.)+
      (?:com|org|net|io|dev|ai|co|edu|gov|app|info|biz|me|ly|gg)\b(?:/{_LINK_END})?
    | (?<![\w/&])[@\#]\w(?:[\w.-]*\w)?
    | \d+(?:[.,:/]\d+)*
    """,
    re.VERBOSE | re.IGNORECASE,
)


def particulars(text: str) -> dict[str, str]:
    """The placeholders, links, addresses, mentions and numbers of a text, in order of appearance.

    They are what a rewrite must neither lose nor invent. Keys compare, placeholders by their number and all else
    without regard to case; values are as written.
    """
    found: dict[str, str] = {}
    for match in _PARTICULAR.finditer(text):
        key = f"[[{match['number']}]]" if match["number"] else match.group().casefold()
        found.setdefault(key, match.group())
    return found


def differences(draft: str, rewrite: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The particulars that `rewrite` lost from `draft`, and those it added, as they are written there."""
    before, after = particulars(draft), particulars(rewrite)
    lost = tuple(written for key, written in before.items() if key not in after)
    added = tuple(written for key, written in after.items() if key not in before)
    return lost, added
