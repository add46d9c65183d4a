"""What Slack makes of a text, found out in another way than the code's."""

import re
import unicodedata

from bot.slack.text import Written


def bare(word: str) -> str:
    """Without what may stand before and after a word."""
    return word.lstrip("\"'“‘([{*_~`").rstrip("\"'”’)]},.;:!?*_~`…")


def live(text: str) -> list[str]:
    """What Slack, or a composer that the text is pasted into, would make a mention, a channel or a link.

    Invisible marks other than the one that breaks are no help: a host name with one in it is the host name without.
    """
    seen = "".join(each for each in text if each == "\u2060" or unicodedata.category(each) not in ("Cf", "Mn"))
    seen = unicodedata.normalize("NFKC", seen).replace("\u3002", ".")
    return re.findall(
        r"<[@#!]|@\w|#\w|\w://|(?:mailto|tel):\w|[^\s.]\.(?:[^\W\d_]{2}|[^\W\d_][^\x00-\x7f])", seen, re.I
    )


def typed_words(written: Written) -> set[str]:
    """The words of a draft that its author typed, without those that only Slack can write."""
    own = re.sub(
        r"\[\[(\d+):[^\[\]\n]*\]\]", lambda match: " " if match[1] in written.entities else match[0], written.text
    )
    return {bare(word) for word in own.split()}


def smuggled(text: str, written: Written) -> list[str]:
    """The live words of a text that the author of the draft did not type."""
    typed = typed_words(written)
    return [word for word in text.split() if bare(word) not in typed and live(word)]
