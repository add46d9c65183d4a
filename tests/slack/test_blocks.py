"""Verdicts as Block Kit, within Slack's sizes whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.local_slack.limits import message_problems, message_too_long, view_problems
from bot.slack.blocks import Answer, notice, verdict_answer
from bot.slack.buttons import HELPFUL, Asked, Checked, check_buttons, edit_button, keep_buttons, use_button
from bot.slack.modals import composer_view, shown_rewrite, verdict_view, view_after_vote
from bot.slack.text import Written, read
from bot.verdict import Category, Fallback, Finding, Label, Tone, Verdict
from tests.slack.conftest import CAUTION, buttons, seen, vote_buttons


def shown(verdict: Verdict, draft: str = "Fine.", **options: Any) -> Answer:
    return verdict_answer(verdict, read(draft), offline_note="It misses a lot.", **options)


def kinds(answer: Answer) -> list[str]:
    """What stands in rich text, by its kind."""
    return [part["type"] for block in answer.blocks if block["type"] == "rich_text" for part in block["elements"]]


def test_a_rewrite_of_letters_and_links_is_preformatted_because_that_has_a_copy_button() -> None:
    verdict = CAUTION.model_copy(update={"rewrite": "See [[1:the plan]]\nplease"})

    answer = shown(verdict, "Fine. <https://example.org|the plan>")

    assert kinds(answer) == ["rich_text_list", "rich_text_preformatted"]
    rewrite = next(block for block in answer.blocks if block.get("block_id") == "rewrite")
    assert rewrite["elements"][0]["elements"] == [
        {"type": "text", "text": "See "},
        {"type": "link", "url": "https://example.org", "text": "the plan"},
        {"type": "text", "text": "\nplease"},
    ]


def test_a_rewrite_with_a_mention_is_a_quote_in_which_it_stays_one() -> None:
    verdict = CAUTION.model_copy(update={"rewrite": "[[1:x]] [[2:x]] [[3:x]] [[4:x]] [[5:x]]"})

    answer = shown(verdict, "<@U1|sam> <#C1|team> <!subteam^S1> <!here> <!date^1^{date}|May>")

    assert kinds(answer) == ["rich_text_list", "rich_text_quote"]
    rewrite = next(block for block in answer.blocks if block.get("block_id") == "rewrite")
    assert [each for each in rewrite["elements"][0]["elements"] if each.get("text") != " "] == [
        {"type": "user", "user_id": "U1"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "usergroup", "usergroup_id": "S1"},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": "May"},
    ]


def test_many_findings_are_cut_short_and_said_to_be() -> None:
    verdict = CAUTION.model_copy(update={"findings": CAUTION.findings * 7})

    words = seen({"blocks": list(shown(verdict).blocks)})

    assert words.count("“Fine.”") == 5
    assert "and 2 more like them" in words


def test_a_finding_without_a_reason_has_its_category() -> None:
    finding = Finding(category=Category.PASSIVE_AGGRESSION, excerpt="Fine.", reason="")

    words = seen({"blocks": list(shown(CAUTION.model_copy(update={"findings": (finding,)})).blocks)})

    assert "Passive aggression" in words


def test_a_button_carries_what_it_needs_and_gives_it_back() -> None:
    asked = Asked('Fine. <@U1|sam> "quoted"\n', Tone.WARM, "to Sam", 3, 1_700_000_000, "abcd1234")

    for button in check_buttons(asked):
        assert Asked.unpack(button["value"]) == asked


def test_there_is_a_button_for_each_of_the_other_tones() -> None:
    row = check_buttons(Asked("Fine.", Tone.WARM))

    assert [button["action_id"] for button in row] == [
        "another_version",
        "tone_playful",
        "tone_professional",
        "tone_brief",
        "edit_draft",
    ]


def test_buttons_that_do_not_fit_give_way_to_fewer() -> None:
    asked = Asked("x" * 1_850)

    answer = shown(
        CAUTION.model_copy(update={"rewrite": "y" * 3_900}), buttons=[check_buttons(asked), [edit_button(asked)]]
    )

    assert buttons({"blocks": answer.blocks}) == ["edit_draft"]
    assert "Too long for buttons" in seen({"blocks": list(answer.blocks)})


@pytest.mark.parametrize(("draft", "carried"), [("Fine.", True), ("Fine. " * 200, True), ("Fine. " * 400, False)])
def test_a_vote_carries_the_draft_as_long_as_it_fits_a_button(draft: str, carried: bool) -> None:
    answer = shown(CAUTION, draft, checked=Checked.of(CAUTION, "a-name", draft))

    up, _ = vote_buttons({"blocks": list(answer.blocks)})
    assert up["action_id"] == HELPFUL
    assert Checked.unpack(up["value"]) == Checked("a-name", "caution", "a-model", "3", draft if carried else "")


def test_a_vote_does_without_the_draft_before_anything_else_goes() -> None:
    draft = "Fine. " * 250
    verdict = CAUTION.model_copy(update={"rewrite": "Sure. " * 250})
    rows = [check_buttons(Asked(draft)), [edit_button(Asked(draft))]]

    answer = shown(verdict, draft, buttons=rows, checked=Checked.of(verdict, "a-name", draft))

    assert len(buttons({"blocks": list(answer.blocks)})) == 5
    assert [Checked.unpack(each["value"]).draft for each in vote_buttons({"blocks": list(answer.blocks)})] == ["", ""]


def test_the_rewrite_can_be_read_back_from_what_is_shown() -> None:
    text = "Sure,\n*happy* to & <3 https://example.org"
    answer = verdict_answer(CAUTION.model_copy(update={"rewrite": text}), Written(text + "!"), offline_note="")

    assert shown_rewrite(answer.blocks) == text


def test_a_composer_takes_any_draft() -> None:
    view = composer_view("x" * 5_000, Tone.BRIEF, "to Sam", above=notice("Hm.").blocks, version=7)

    assert view_problems(view) == []


words = st.text(max_size=12) | st.sampled_from(
    ["[[1:x]]", "[[2]]", "<!channel>", "&", '"', "\n", "x" * 1_500, "\\" * 900]
)
texts = st.lists(words, max_size=9).map("".join)
drafts = st.lists(
    words
    | st.sampled_from(
        ["<@U1|sam>", "<https://example.org/" + "a" * 2_990 + "|it>", "<!here>", "<@odd one>", "<tel:1>"]
    ),
    max_size=9,
).map("".join)
verdicts = st.builds(
    Verdict,
    label=st.sampled_from(Label),
    findings=st.lists(
        st.builds(Finding, category=st.sampled_from(Category), excerpt=texts, reason=texts), max_size=9
    ).map(tuple),
    rewrite=st.none() | texts,
    tip=st.none() | texts,
    model=texts,
    version=st.none() | texts,
    offline=st.booleans(),
    fallback=st.none() | st.sampled_from(Fallback),
)


@settings(deadline=None)
@given(verdict=verdicts, draft=drafts, tone=st.sampled_from(Tone), in_composer=st.booleans())
@example(CAUTION.model_copy(update={"rewrite": '"' * 4_000}), '"' * 4_000, Tone.WARM, False)
@example(CAUTION.model_copy(update={"rewrite": "&" * 40_000}), "&amp;" * 4_000, Tone.WARM, False)
@example(CAUTION.model_copy(update={"rewrite": "\u200b"}), "\u200b", Tone.WARM, False)
def test_slack_takes_any_answer_about_any_draft(verdict: Verdict, draft: str, tone: Tone, in_composer: bool) -> None:
    asked = Asked(draft, tone)
    rows = [[use_button()]] if in_composer else [check_buttons(asked), [edit_button(asked)]]

    checked = Checked.of(verdict, "a-name", draft)

    answer = shown(verdict, draft, buttons=rows, notes=["A note."], checked=checked)

    blocks = list(answer.blocks)
    assert len(vote_buttons({"blocks": blocks})) == 2
    assert message_problems(blocks) == []
    assert not message_too_long(blocks)
    assert view_problems(verdict_view(answer)) == []
    composer = composer_view(draft, tone, above=answer.blocks)
    assert view_problems(composer) == []
    asking = view_after_vote(composer, "May I?", keep_buttons(checked)[len(checked.packed()) > 2_000 :])
    assert view_problems(asking) == []
    assert view_problems(view_after_vote(asking, "Thanks.")) == []
    assert view_after_vote(asking, "Thanks.") == view_after_vote(composer, "Thanks.")
    assert verdict.sentence in answer.text
    assert len(answer.text) < 40_000
    json.dumps(blocks).encode()


@pytest.mark.parametrize("fallback", list(Fallback))
def test_every_fallback_has_its_own_sentence(fallback: Fallback) -> None:
    others = {
        seen({"blocks": list(shown(CAUTION.model_copy(update={"fallback": other})).blocks)})
        for other in Fallback
        if other is not fallback
    }

    assert seen({"blocks": list(shown(CAUTION.model_copy(update={"fallback": fallback})).blocks)}) not in others
