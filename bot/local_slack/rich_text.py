"""Rich text, as https://docs.slack.dev/reference/block-kit/blocks/rich-text-block has it."""

from bot.local_slack.checks import Check, among, array, boolean, data, integer, matching, object_of, string, typed
from bot.local_slack.elements import CONVERSATION, URL, USER

_STYLE = object_of({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean))
_MENTION_STYLE = object_of(
    {}, dict.fromkeys(("bold", "italic", "strike", "highlight", "client_highlight", "unlink"), boolean)
)
_LETTERS = {
    "text": object_of({"text": string(12_000)}, {"style": _STYLE}),
    "link": object_of({"url": URL}, {"text": string(12_000), "style": _STYLE, "unsafe": boolean}),
}
_INLINE: dict[str, Check] = {
    **_LETTERS,
    "user": object_of({"user_id": USER}, {"style": _MENTION_STYLE}),
    "channel": object_of({"channel_id": CONVERSATION}, {"style": _MENTION_STYLE}),
    "usergroup": object_of({"usergroup_id": matching(r"S[A-Z0-9]{1,20}", "usergroup id")}, {"style": _MENTION_STYLE}),
    "broadcast": object_of({"range": among("here", "channel", "everyone")}, {"style": _STYLE}),
    "emoji": object_of(
        {"name": matching(r"[\w+'-]{1,100}(::skin-tone-[2-6])?", "emoji name")}, {"unicode": data(255), "style": _STYLE}
    ),
}
_BORDER = integer(0, 1)
_SECTION = object_of({"elements": array(typed(_INLINE), most=1000)})
PARTS = {
    "rich_text_section": _SECTION,
    "rich_text_quote": object_of({"elements": array(typed(_INLINE), most=1000)}, {"border": _BORDER}),
    # The reference lists text and links alone here: no mention, and no emoji.
    "rich_text_preformatted": object_of(
        {"elements": array(typed(_LETTERS), most=1000)}, {"border": _BORDER, "language": data(255)}
    ),
    "rich_text_list": object_of(
        {
            "style": among("bullet", "ordered"),
            "elements": array(typed({"rich_text_section": _SECTION}), most=1000),
        },
        {"indent": integer(0, 8), "offset": integer(0, 10**6), "border": _BORDER},
    ),
}
