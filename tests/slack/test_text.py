"""Slack's mrkdwn, in and out."""

import json
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.particulars import differences
from bot.slack.rich_text import elements
from bot.slack.text import Entity, Rewrite, Written, escape, meant, read
from tests.slack.oracles import live, smuggled

MARIA = "<@U0MARIA|maria>"
EVERY_KIND = [
    (MARIA, "@maria"),
    ("<@U0MARIA>", "@someone"),
    ("<@W0MARIA|Maria (she/her)>", "@Maria (she/her)"),
    ("<#C0TEAM|team>", "#team"),
    ("<#C0TEAM|>", "#a-channel"),
    ("<!subteam^S0OPS|@ops>", "@ops"),
    ("<!subteam^S0OPS>", "@a-group"),
    ("<!channel>", "@channel"),
    ("<!here|here>", "@here"),
    ("<!everyone>", "@everyone"),
    ("<!date^1392734382^{date} at {time}|18 February>", "18 February"),
    ("<!date^1392734382^{date}>", "a date"),
    ("<https://example.org/a?b=1&amp;c=2>", "https://example.org/a?b=1&c=2"),
    ("<https://example.org/a|the [plan]>", "the (plan)"),
    ("<mailto:sam@example.org|sam@example.org>", "sam@example.org"),
    ("<tel:+4930123>", "+4930123"),
]


def restored_from(written: Written, rewrite: str) -> Rewrite:
    """The rewrite of a verdict, with what that found it to have lost and added."""
    return written.restore(rewrite, *differences(written.text, rewrite))


@pytest.mark.parametrize(("mrkdwn", "hint"), EVERY_KIND)
def test_what_only_slack_can_write_becomes_a_placeholder_and_comes_back(mrkdwn: str, hint: str) -> None:
    written = read(f"Ask {mrkdwn}, please")

    assert written.text == f"Ask [[1:{hint}]], please"
    assert written.restore(written.text).mrkdwn == f"Ask {mrkdwn}, please"


def test_escapes_are_undone_once() -> None:
    assert read("1 &lt; 2 &amp;&amp; &amp;lt;b&amp;gt;").text == "1 < 2 && &lt;b&gt;"


def test_formatting_and_code_are_kept() -> None:
    draft = "*no* _really_ ~never~ `x &lt; y`\n```\nif a &amp;&amp; b\n```\n&gt; quoted :smile:"

    assert read(draft).text == "*no* _really_ ~never~ `x < y`\n```\nif a && b\n```\n> quoted :smile:"
    assert read(draft).restore(read(draft).text).mrkdwn == draft


def test_angle_brackets_that_are_no_entity_are_left_alone() -> None:
    assert read("I <3 this < that").text == "I <3 this < that"


def test_placeholders_that_the_author_typed_are_theirs() -> None:
    written = read(f"Use [[1:name]] or ask {MARIA}")

    assert written.text == "Use [[1:name]] or ask [[2:@maria]]"
    assert written.restore("Ask [[2:@maria]] about [[1:name]]").mrkdwn == f"Ask {MARIA} about [[1:name]]"


@pytest.mark.parametrize(
    "rewrite",
    [
        "Thanks [[1:@maria]]!",
        "Thanks [[1:Maria]]!",
        "Thanks [[1]]!",
        "Thanks [[ 1 : @maria ]]!",
        r"Thanks \[\[1:@maria\]\]!",
        "Thanks @maria!",
    ],
)
def test_a_placeholder_is_known_by_its_number_and_a_name_by_itself(rewrite: str) -> None:
    restored = restored_from(read(f"{MARIA} finally."), rewrite)

    assert restored.mrkdwn == f"Thanks {MARIA}!"
    assert (restored.lost, restored.added) == ((), ())


def test_a_placeholder_comes_back_once() -> None:
    restored = read(f"{MARIA} finally.").restore("[[1:@maria]] [[1:@maria]] @maria")

    assert restored.mrkdwn.count(MARIA) == 1
    assert live(restored.mrkdwn.replace(MARIA, "")) == []


def test_an_invented_placeholder_becomes_harmless_words() -> None:
    assert read("Fine.").restore("Fine [[7:@here]] [[8]]!").mrkdwn == "Fine @\u2060here !"


def test_two_people_of_one_name_are_not_guessed_between() -> None:
    restored = restored_from(read("<@U1|sam> and <@U2|sam>"), "thanks @sam")

    assert "<" not in restored.mrkdwn
    assert restored.lost == ("@\u2060sam", "@\u2060sam")


@pytest.mark.parametrize(
    "evil",
    [
        "<!channel>",
        "<!here|here>",
        "&lt;!channel&gt;",
        "&amp;lt;!everyone&amp;gt;",
        "<@U0EVIL>",
        "<#C0EVIL|general>",
        "<https://evil.example|the plan>",
        "<!subteam^S0OPS>",
        "@here",
        "@channel",
        "@everyone",
        "*@here*",
        "#general",
        "https://evil.example/x",
        "HTTP://evil.example",
        "slack://open",
        "www.evil.example",
        "evil.example",
        "evil。example",
        "mailto:sam@evil.example",
        "sam@evil.example",
        "tel:+4930123",
        "@\u200bhere",
        "\u202e@here",
        "<\u0000!channel>",
        "#2024-plans",
        "＃general",
        "＠here",
        "💩.la",
        "i❤.ws",
        "i❤\ufe0f.ws",
        "caf\u0065\u0301.example",
        "evil.co\u0301m",
        "evil\u00ad.example",
        "evil\u200d.example",
        "evil.\u00adexample",
        "evil.\u200dexample",
        "x.भारत",
        "x.한국",
        "x．example",
        "x․example",
        "https\u200b:\u2060/\u200b/evil.example",
    ],
)
def test_a_rewrite_adds_nothinglive(evil: str) -> None:
    restored = read("Tell them here: channel, everyone, general.").restore(f"Sure {evil} ok")

    assert live(restored.mrkdwn) == []
    assert live(restored.plain) == []


@pytest.mark.parametrize(
    "words", ["e.g. this", "i.e., that", "at 3.30 p.m.", "hm...and", "Fine. Really", "C#, F#.", "see :/ there"]
)
def test_what_is_no_link_is_left_as_it_is(words: str) -> None:
    assert read("Fine.").restore(words).mrkdwn == words


def test_a_mention_that_the_author_only_typed_becomes_no_live_one() -> None:
    restored = read(f"{MARIA} says that @maria is free").restore("Hi @maria, are you free?")

    assert restored.parts == ("Hi @maria, are you free?",)


def test_words_beside_an_entity_make_no_link_with_it() -> None:
    restored = read("<https://example.org|com>").restore("evil.[[1:com]]")

    assert live(restored.hinted) == []


def test_what_the_author_typed_stays_as_typed() -> None:
    draft = "@here see http://example.org, sam@example.org, #general and Node.js"

    assert read(draft).restore(draft).mrkdwn == draft


def test_a_lost_link_mention_or_number_is_named_as_a_reader_knows_it() -> None:
    restored = restored_from(
        read(f"{MARIA} the <https://example.org|plan> is due at 14:00"), "The plan is due at 15:00"
    )

    assert set(restored.lost) == {"@\u2060maria", "plan", "14:00"}
    assert restored.added == ("15:00",)


def test_a_second_mention_of_the_same_person_is_no_loss() -> None:
    assert restored_from(read(f"{MARIA}, really, {MARIA}"), "[[1:@maria]], really").lost == ()


def test_words_to_show_have_hints_for_placeholders_and_nothinglive() -> None:
    written = read(f"{MARIA} see <https://example.org|the plan>")

    assert written.quoted("[[1:@maria]] see [[2:x]] @here") == "@\u2060maria see the plan @\u2060here"


def test_an_input_gets_what_a_person_would_type() -> None:
    written = read(f"{MARIA} see <https://example.org/a|the plan> or <mailto:a@example.org|a@example.org>")

    assert written.restore(written.text).plain == "@maria see https://example.org/a or a@example.org"


# Any draft, any answer.

FRAGMENTS = [
    *(mrkdwn for mrkdwn, _ in EVERY_KIND),
    *("[[1:@maria]]", "[[2]]", "[[1:@here]]", r"\[\[3:x\]\]", "[[", "]]", "[[99:<!channel>]]", "[[01:x]]", "[[1:", ":"),
    *("<", ">", "&", "&lt;", "&gt;", "&amp;", "&lt;!channel&gt;", "&amp;lt;", "!channel", "!here|", "|", "^", "\\"),
    *("@", "#", "@here", "@channel", "@maria", "#team", "here", "maria", "team", "channel", "everyone"),
    *("http", "https", ":", "//", "://", "www", ".", "com", "evil", "evil.com", "mailto:", "tel:", "a@b.co"),
    *(
        "\u200b",
        "\u2060",
        "\u202e",
        "\u0000",
        "\ud83d",
        "\n",
        " ",
        "\t",
        "`",
        "```",
        "*",
        "_",
        "~",
        "14:00",
        "7",
        "é",
        "。",
    ),
]
drafts = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), max_size=12).map("".join)


def gets_no_more_than_the_draft_had(draft: str, answer: str) -> None:
    written = read(draft)
    restored = written.restore(answer)

    had = Counter(entity.mrkdwn for entity in written.entities.values())
    has = Counter(part.mrkdwn for part in restored.parts if isinstance(part, Entity))
    assert has <= had, "an entity that the draft does not have, or more of one"
    text = "".join(part if isinstance(part, str) else " " for part in restored.parts)
    assert "<" not in escape(text)
    assert smuggled(text, written) == []


@given(draft=drafts, answer=drafts)
@example(draft="here", answer="@here")
@example(draft=MARIA, answer="[[1:@maria]] @maria [[1:x]]")
@example(draft="[[1:x]]" + MARIA, answer="[[1:x]][[2:x]][[2:x]]")
def test_no_answer_gets_more_out_of_slack_than_the_draft_had(draft: str, answer: str) -> None:
    gets_no_more_than_the_draft_had(draft, answer)


anything = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=40) | st.characters(), max_size=60).map("".join)


@pytest.mark.heavy
@pytest.mark.timeout(300)
@settings(max_examples=4_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(draft=anything, answer=anything | st.none())
def test_fuzzing_finds_no_text_that_gets_more_out_of_slack(draft: str, answer: str | None) -> None:
    gets_no_more_than_the_draft_had(draft, read(draft).text if answer is None else answer)
    shown = read(draft).quoted(answer or draft)
    assert smuggled(shown, read(draft)) == []
    blocks = json.dumps(elements(read(draft).restore(answer or draft).parts, read(draft).emoji), ensure_ascii=False)
    blocks.encode()  # nothing in it that can't be sent


@given(draft=drafts.map(lambda draft: draft.replace("\ud83d", "")))  # a Draft with half an emoji is rejected
def test_a_draft_given_back_unchanged_is_the_draft(draft: str) -> None:
    written = read(draft)
    restored = restored_from(written, written.text)

    entities = [part.mrkdwn for part in restored.parts if isinstance(part, Entity)]
    assert entities == [entity.mrkdwn for entity in written.entities.values()]
    assert restored.lost == ()


@given(text=st.text())
def test_escaping_and_meaning_are_inverse(text: str) -> None:
    assert meant(escape(text)) == text


@given(words=drafts, draft=drafts)
def test_words_to_show_are_words(words: str, draft: str) -> None:
    written = read(draft)

    shown = written.quoted(words)

    assert not re.search("[\u0000\u202e\ud800-\udfff]", shown)


def test_hundreds_of_entities_are_read_and_restored_at_once() -> None:
    draft = "".join(f"<@U{number}|sam{number % 7}>" for number in range(400))
    written: Written = read(draft)

    assert written.restore(written.text).mrkdwn == draft
    assert written.restore("@sam1 " * 400).mrkdwn.count("<@") == 0
