"""Verdicts as Block Kit, within Slack's sizes whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.local_slack.surfaces import message_problems, message_too_long, view_problems
from bot.slack.blocks import Answer, notice, verdict_answer
from bot.slack.buttons import (
    MAX_OPTION,
    MAX_VALUE,
    Asked,
    Ballot,
    answer_buttons,
    keep_buttons,
    retry_buttons,
    use_button,
    vote_menu,
)
from bot.slack.modals import can_hold, composer_view, shown_rewrite, verdict_view, view_after_vote
from bot.slack.text import Origin, Written, read, size
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, Category, Fallback, Finding, Label, Tone, Verdict
from tests.slack.conftest import CAUTION, GOOD, buttons, seen, vote_buttons


def shown(verdict: Verdict, draft: str = "Fine.", asked: Asked | None = None, **options: Any) -> Answer:
    written = read(draft)
    rewrite = written.restore(verdict.rewrite, verdict.lost, verdict.added) if verdict.rewrite else None
    return verdict_answer(verdict, asked or Asked(draft), written, rewrite, **options)


def words(answer: Answer) -> str:
    return seen({"blocks": list(answer.blocks)}) if answer.blocks else answer.text


def kinds(answer: Answer) -> list[str]:
    """What stands in rich text, by its kind."""
    return [part["type"] for block in answer.blocks if block["type"] == "rich_text" for part in block["elements"]]


def rewrite_elements(answer: Answer) -> list[dict[str, Any]]:
    (block,) = [block for block in answer.blocks if block.get("block_id") == "rewrite"]
    elements: list[dict[str, Any]] = block["elements"][0]["elements"]
    return elements


def test_a_rewrite_of_letters_and_links_is_preformatted_because_that_has_a_copy_button() -> None:
    verdict = CAUTION.model_copy(update={"rewrite": "See [[1:the plan]]\nplease"})

    answer = shown(verdict, "Fine. <https://example.org|the plan>")

    assert kinds(answer) == ["rich_text_list", "rich_text_preformatted"]
    assert rewrite_elements(answer) == [
        {"type": "text", "text": "See "},
        {"type": "link", "url": "https://example.org", "text": "the plan"},
        {"type": "text", "text": "\nplease"},
    ]


def test_a_rewrite_with_a_mention_is_a_quote_in_which_it_stays_one() -> None:
    verdict = CAUTION.model_copy(update={"rewrite": "[[1:x]] [[2:x]] [[3:x]] [[4:x]] [[5:x]]"})

    answer = shown(verdict, "<@U1|sam> <#C1|team> <!subteam^S1> <!here> <!date^1^{date}|May>")

    assert kinds(answer) == ["rich_text_list", "rich_text_quote"]
    assert [each for each in rewrite_elements(answer) if each.get("text") != " "] == [
        {"type": "user", "user_id": "U1"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "usergroup", "usergroup_id": "S1"},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": "May"},
    ]


def test_an_id_that_is_too_long_to_be_one_is_words() -> None:
    draft = "Fine. <@U" + "A" * 300 + "|sam> <#C" + "A" * 300 + "|team> <!subteam^S" + "A" * 300 + "|@ops>"
    verdict = CAUTION.model_copy(update={"rewrite": "[[1:x]] [[2:x]] [[3:x]]"})

    assert {each["type"] for each in rewrite_elements(shown(verdict, draft))} == {"text"}


def test_an_address_longer_than_slack_takes_in_bytes_is_words() -> None:
    verdict = CAUTION.model_copy(update={"rewrite": "[[1:x]]"})

    assert rewrite_elements(shown(verdict, f"<https://example.org/{'é' * 1_600}|it>"))[0]["type"] == "text"


def test_emoji_of_the_draft_are_emoji_wherever_they_stand_but_in_preformatted_text() -> None:
    finding = Finding(category=Category.OTHER, excerpt=":smile: Fine.", reason="With :+1::skin-tone-3: it grates.")
    verdict = CAUTION.model_copy(
        update={"rewrite": "Sure :smile: at 10:30:15 :made_up: a:smile:b", "findings": (finding,)}
    )

    answer = shown(verdict, ":smile: Fine. :+1::skin-tone-3:")

    assert kinds(answer) == ["rich_text_list", "rich_text_quote"], "preformatted text can't hold any"
    assert rewrite_elements(answer) == [
        {"type": "text", "text": "Sure "},
        {"type": "emoji", "name": "smile"},
        {"type": "text", "text": " at 10:30:15 :made_up: a:smile:b"},
    ]
    (item,) = answer.blocks[1]["elements"][0]["elements"]
    assert {"type": "emoji", "name": "smile"} in item["elements"]
    assert {"type": "emoji", "name": "+1", "skin_tone": 3} in item["elements"]


def test_many_findings_are_cut_short_and_said_to_be() -> None:
    verdict = CAUTION.model_copy(update={"findings": CAUTION.findings * 6})

    assert words(shown(verdict)).count("“Fine.”") == 4
    assert "and 2 more like them" in words(shown(verdict))


def test_a_finding_without_a_reason_has_its_category() -> None:
    finding = Finding(category=Category.PASSIVE_AGGRESSION, excerpt="Fine.", reason="")

    assert "Passive aggression" in words(shown(CAUTION.model_copy(update={"findings": (finding,)})))


def test_a_draft_that_is_good_to_go_is_there_to_copy() -> None:
    answer = shown(GOOD, "Thanks @sam &lt;3\n<https://example.org|the plan>")

    assert kinds(answer) == ["rich_text_preformatted"]
    assert "Thanks @sam <3\n" in words(answer)
    assert answer.text == f"{GOOD_SENTENCE}\nThanks @sam &lt;3\n<https://example.org|the plan>"


@pytest.mark.parametrize(
    ("origin", "verdict", "sentence"),
    [
        (Origin.DRAFT, GOOD, GOOD_SENTENCE),
        (Origin.DRAFT, CAUTION, CAUTION_SENTENCE),
        (Origin.SENT, GOOD, "This one is out already, and it's good as it is."),
        (Origin.SENT, CAUTION, "This one is out already, and it may sting."),
        (Origin.OTHERS, GOOD, "Nothing in this message looks like a sting to me."),
        (Origin.OTHERS, CAUTION, "This message may sting, though it may not be meant to."),
    ],
)
def test_the_two_sentences_are_for_what_is_not_out_yet(origin: Origin, verdict: Verdict, sentence: str) -> None:
    answer = shown(verdict, "Fine. " * 60, Asked("Fine. " * 60, origin=origin))

    assert sentence in words(answer)
    assert answer.text.startswith(sentence)
    quoted = answer.blocks[0]["type"] == "rich_text"
    assert quoted is (origin is not Origin.DRAFT), "what is out is quoted, to know it by"
    if quoted:
        beginning = answer.blocks[0]["elements"][0]["elements"][0]["text"]
        assert beginning.startswith("Fine. Fine.")
        assert len(beginning) == 120
    if verdict is CAUTION:
        heading = {"draft": "Suggested rewrite", "sent": "could change it to", "others": "could have been said"}
        assert heading[origin] in words(answer)


# Buttons


def test_a_button_carries_what_it_needs_and_gives_it_back() -> None:
    asked = Asked('Fine. <@U1|sam> "quoted"\n', Tone.WARM, "to Sam", Origin.SENT)
    rewrite = read(asked.draft).restore("Sure")

    again, menu, edit = answer_buttons(asked, CAUTION, rewrite)

    assert Asked.unpack(again["value"]) == Asked(
        asked.draft, asked.tone, asked.context, asked.origin, "Sure, happy to!"
    )
    assert Asked.unpack(edit["value"]) == asked
    assert menu["initial_option"]["value"] == "warm"
    assert [option["value"] for option in menu["options"]] == list(Tone)


TIP = CAUTION.model_copy(update={"rewrite": None, "tip": "Say what you need."})


@pytest.mark.parametrize(
    ("verdict", "origin", "ids"),
    [
        (CAUTION, Origin.DRAFT, ["another_version", "tone", "edit_draft"]),
        (CAUTION, Origin.SENT, ["another_version", "tone", "edit_draft"]),
        (CAUTION, Origin.OTHERS, ["another_version", "tone"]),
        (TIP, Origin.DRAFT, ["edit_draft"]),
        (TIP, Origin.OTHERS, []),
        (GOOD, Origin.DRAFT, []),
        (GOOD, Origin.SENT, []),
    ],
)
def test_there_are_at_most_three_things_to_press_and_each_can_give_something(
    verdict: Verdict, origin: Origin, ids: list[str]
) -> None:
    rewrite = read("Fine.").restore(verdict.rewrite) if verdict.rewrite else None

    row = answer_buttons(Asked("Fine.", origin=origin), verdict, rewrite)

    assert [each["action_id"] for each in row] == ids


@pytest.mark.parametrize("offline", [False, True])
def test_no_other_version_is_offered_where_there_is_one(offline: bool) -> None:
    row = answer_buttons(
        Asked("Fine."), CAUTION.model_copy(update={"offline": offline}), read("Fine.").restore("Sure.")
    )

    assert ("Another version" in row[0]["text"]["text"]) is not offline


@pytest.mark.parametrize("letter", ["x", "é", "語", "💩", '"', "\n"])
def test_a_button_carries_as_much_of_the_rewrite_as_fits(letter: str) -> None:
    asked = Asked("Fine. " * 100, previous=letter * 4_000)

    carried = Asked.unpack(asked.packed())

    assert carried
    assert size(asked.packed()) <= MAX_VALUE
    assert carried.draft == asked.draft
    assert 50 < len(carried.previous) < 4_000


@pytest.mark.parametrize("letter", ["é", "語", "💩"])
def test_what_a_button_carries_is_counted_in_bytes(letter: str) -> None:
    asked = Asked(letter * (1_900 // len(letter.encode())), tone=Tone.WARM)
    assert buttons({"blocks": shown(CAUTION, row=retry_buttons(asked)).blocks})

    asked = Asked(letter * (2_000 // len(letter.encode())), tone=Tone.WARM)
    answer = shown(CAUTION, row=retry_buttons(asked))
    assert buttons({"blocks": answer.blocks}) == []
    assert "Too long for buttons" in words(answer)


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ('{"draft":"Fine."}', Asked("Fine.")),
        ('{"draft":"Fine.","tone":"warm","uses":3,"since":17,"seen":"ab","own":true}', Asked("Fine.", Tone.WARM)),
        ('{"draft":"Fine.","own":false}', Asked("Fine.", origin=Origin.OTHERS)),
        ('{"draft":"Fine.","tone":"sultry","origin":"letter","context":7,"previous":[]}', Asked("Fine.")),
        ('{"draft":""}', None),
        ('{"draft":7}', None),
        ('{"tone":"warm"}', None),
        ("[1]", None),
        ("null", None),
        ("", None),
        ("{", None),
        ("[" * 100_000, None),
    ],
)
def test_a_button_of_an_older_or_newer_version_is_read_as_far_as_it_goes(value: str, asked: Asked | None) -> None:
    assert Asked.unpack(value) == asked


@pytest.mark.parametrize(
    ("value", "ballot"),
    [
        ('{"check":"tr-1"}', Ballot("tr-1")),
        ('{"check":"tr-1","label":"good","new":1}', Ballot("tr-1", "good")),
        ('{"check":"tr-1","helpful":false}', Ballot("tr-1", helpful=False)),
        ('{"check":7}', None),
        ('{"label":"good"}', None),
        ("x", None),
    ],
)
def test_a_vote_of_an_older_or_newer_version_is_read_as_far_as_it_goes(value: str, ballot: Ballot | None) -> None:
    assert Ballot.unpack(value) == ballot


# Votes


@pytest.mark.parametrize("name", ["gpt-5.4-mini", "語" * 100, "a/very/long/path/to/a/model" * 9])
def test_a_vote_in_a_menu_fits_its_option(name: str) -> None:
    verdict = CAUTION.model_copy(update={"model": name, "version": "v" * 99})
    menu = vote_menu(Ballot.on(verdict, "tr-" + "0" * 32))

    for option, helpful in zip(menu["options"], (True, False), strict=True):
        ballot = Ballot.unpack(option["value"])
        assert size(option["value"]) <= MAX_OPTION
        assert ballot
        assert (ballot.check, ballot.label, ballot.helpful) == ("tr-" + "0" * 32, "caution", helpful)


@pytest.mark.parametrize(("draft", "carried"), [("Fine.", True), ("Fine. " * 200, True), ("Fine. " * 400, False)])
def test_a_vote_carries_the_draft_as_long_as_it_fits_a_button(draft: str, carried: bool) -> None:
    answer = shown(CAUTION, draft, ballot=Ballot.on(CAUTION, "a-name", draft))

    thumbs = vote_buttons({"blocks": list(answer.blocks)})
    assert [each["type"] for each in thumbs] == (["button", "button"] if carried else ["static_select"])
    if carried:
        ballots = [Ballot.unpack(each["value"]) for each in thumbs]
        assert ballots == [Ballot("a-name", "caution", "a-model", "3", draft, helpful) for helpful in (True, False)]


def test_a_vote_does_without_the_draft_before_anything_else_goes() -> None:
    draft = "Fine. " * 290
    verdict = CAUTION.model_copy(update={"rewrite": "Sure. " * 650})
    row = answer_buttons(Asked(draft), verdict, read(draft).restore(verdict.rewrite or ""))

    answer = shown(verdict, draft, row=row, ballot=Ballot.on(verdict, "a-name", draft))

    assert len(buttons({"blocks": list(answer.blocks)})) == 3
    assert [each["type"] for each in vote_buttons({"blocks": list(answer.blocks)})] == ["static_select"]


# Modals


def test_the_rewrite_can_be_read_back_from_what_is_shown() -> None:
    text = "Sure,\n*happy* to & <3 https://example.org :smile: :wave::skin-tone-2:"
    written = Written(text + "!")
    answer = verdict_answer(CAUTION, Asked("x"), written, written.restore(text))

    assert shown_rewrite({"blocks": answer.blocks}) == text


@pytest.mark.parametrize("length", [3_000, 5_000])
def test_a_composer_takes_any_draft(length: int) -> None:
    view = composer_view(Asked("x" * length, Tone.BRIEF, "to Sam"), above=notice("Hm."), version=7)

    assert view_problems(view) == []


texts_of = st.text(max_size=12) | st.sampled_from(
    ["[[1:x]]", "[[2]]", "<!channel>", "&", '"', "\n", ":x:", "x" * 1_500, "\\" * 900, "語" * 900, "💩" * 700]
)
texts = st.lists(texts_of, max_size=9).map("".join)
drafts = st.lists(
    texts_of
    | st.sampled_from(
        [
            "<@U1|sam>",
            "<https://example.org/" + "a" * 2_990 + "|it>",
            "<!here>",
            "<@odd one>",
            "<tel:1>",
            "<@U" + "A" * 300 + ">",
        ]
    ),
    max_size=9,
).map("".join)
verdicts = st.builds(
    Verdict,
    label=st.sampled_from(Label),
    findings=st.lists(
        st.builds(Finding, category=st.sampled_from(Category), excerpt=texts, reason=texts), max_size=9
    ).map(tuple),
    rewrite=st.none() | texts.map(lambda text: text[:4_000]),
    tip=st.none() | texts,
    lost=st.lists(texts, max_size=9).map(tuple),
    added=st.lists(texts, max_size=9).map(tuple),
    model=texts,
    version=st.none() | texts,
    offline=st.booleans(),
    fallback=st.none() | st.sampled_from(Fallback),
)


@settings(deadline=None)
@given(
    verdict=verdicts,
    draft=drafts,
    tone=st.sampled_from(Tone),
    origin=st.sampled_from(Origin),
    in_composer=st.booleans(),
)
@example(CAUTION.model_copy(update={"rewrite": '"' * 4_000}), '"' * 4_000, Tone.WARM, Origin.DRAFT, False)
@example(CAUTION.model_copy(update={"rewrite": "&" * 4_000}), "&amp;" * 4_000, Tone.WARM, Origin.DRAFT, False)
@example(CAUTION.model_copy(update={"rewrite": "\u200b"}), "\u200b", Tone.WARM, Origin.DRAFT, False)
@example(CAUTION.model_copy(update={"rewrite": "💩" * 4_000}), "💩" * 4_000, Tone.WARM, Origin.DRAFT, False)
@example(GOOD, "💩" * 4_000, Tone.WARM, Origin.DRAFT, False)
def test_slack_takes_any_answer_about_any_draft(
    verdict: Verdict, draft: str, tone: Tone, origin: Origin, in_composer: bool
) -> None:
    asked, written = Asked(draft, tone, origin=origin), read(draft)
    rewrite = written.restore(verdict.rewrite, verdict.lost, verdict.added) if verdict.rewrite else None
    row = [use_button()] if in_composer and rewrite else answer_buttons(asked, verdict, rewrite)
    ballot = Ballot.on(verdict, "a-name", draft)

    answer = verdict_answer(verdict, asked, written, rewrite, row=row, notes=["A note."], ballot=ballot)

    blocks = list(answer.blocks)
    assert message_problems(blocks) == []
    assert not message_too_long(blocks)
    assert view_problems(verdict_view(answer)) == []
    composer = composer_view(asked, above=answer)
    assert view_problems(composer) == []
    asking = view_after_vote(composer, "May I?", keep_buttons(ballot)[size(ballot.packed()) > MAX_VALUE :])
    assert view_problems(asking) == []
    assert view_problems(view_after_vote(asking, "Thanks.")) == []
    assert view_after_vote(asking, "Thanks.") == view_after_vote(composer, "Thanks.")
    assert 0 < size(answer.text) < 40_000
    if rewrite:
        nothing_lost = blocks and any(block.get("block_id") == "rewrite" for block in blocks)
        assert nothing_lost or not blocks, "the words to send are there, if need be as plain text"
    assert can_hold(draft) == (size(draft) <= 3_000)
    json.dumps(blocks).encode()


@pytest.mark.parametrize("fallback", list(Fallback))
def test_every_fallback_has_its_own_sentence(fallback: Fallback) -> None:
    others = {
        words(shown(CAUTION.model_copy(update={"fallback": other}))) for other in Fallback if other is not fallback
    }

    assert words(shown(CAUTION.model_copy(update={"fallback": fallback}))) not in others
