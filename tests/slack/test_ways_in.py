"""Every way in, over both transports: what a person does, and what they see."""

import json

import pytest

from bot.errors import Busy, ModelMisconfigured
from bot.local_slack.slack import LocalSlack
from bot.slack.wording import BROKEN, BUG, FAILED, KEEPS_NOTHING, KEEPS_NUMBERS, KEEPS_TEXT, NO_TEXT
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, Draft, Fallback, Label, Tone, Verdict
from tests.slack.conftest import (
    CAUTION,
    GOOD,
    OFFLINE_NOTE,
    FakeRecorder,
    FakeScreener,
    Oddity,
    OurOwn,
    buttons,
    seen,
    serving,
    the_answer,
    the_modal,
    the_view,
)


async def the_version(slack: LocalSlack, letter: str) -> None:
    await slack.changed(lambda: slack.ephemerals() and f"Version {letter}" in seen(slack.ephemerals()[0]))


# The command


async def test_a_draft_gets_its_verdict_where_only_its_author_sees_it(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        delivery = await slack.command("/angel", "Fine. Do it your way.")

        answer = await the_answer(slack)
        assert delivery.acked
        assert served.screener.drafts == [Draft(text="Fine. Do it your way.")]
        for words in (
            CAUTION_SENTENCE,
            "“Fine.”",
            "It can sound like the opposite.",
            "Sure, happy to!",
            "Checked by a-model, version 3 · Only you can see this",
        ):
            assert words in seen(answer)
        assert answer["text"] == f"{CAUTION_SENTENCE} Suggested rewrite:\nSure, happy to!"
        assert slack.messages(slack.channel) == []
        assert slack.ephemerals(user=slack.other) == []


async def test_a_good_draft_is_good_to_go(transport: str) -> None:
    async with serving(FakeScreener(GOOD), transport) as served:
        await served.slack.command("/angel", "Thanks for the help!")

        answer = await the_answer(served.slack)
        assert answer["text"] == GOOD_SENTENCE
        assert GOOD_SENTENCE in seen(answer)
        assert buttons(answer) == []


@pytest.mark.parametrize("where", ["channel", "quiet", "private", "dm"])
async def test_it_answers_wherever_it_is_asked(where: str) -> None:
    async with serving(FakeScreener(), "socket_mode") as served:
        channel = getattr(served.slack, where)
        await served.slack.command("/angel", "Fine.", channel=channel)

        assert (await the_answer(served.slack))["channel"] == channel


@pytest.mark.parametrize("text", ["help", " HELP "])
@pytest.mark.parametrize(
    ("recorder", "privacy"),
    [(None, KEEPS_NOTHING), (FakeRecorder(), KEEPS_NUMBERS), (FakeRecorder(keeps_text=True), KEEPS_TEXT)],
)
async def test_help_explains_in_five_lines_and_says_what_is_kept(
    text: str, recorder: FakeRecorder | None, privacy: str
) -> None:
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        await served.slack.command("/angel", text)

        said = (await the_answer(served.slack))["text"]
        assert len(said.splitlines()) == 5
        assert said.endswith(privacy)
        assert not {"<", "{"} & set(said), "Slack would read it as a link"
        assert served.screener.drafts == []


def test_what_is_kept_is_said_plainly() -> None:
    for nothing in (KEEPS_NOTHING, KEEPS_NUMBERS):
        assert "I keep none of your words." in nothing
    assert "I keep your words only if you say so after a vote." in KEEPS_TEXT


@pytest.mark.parametrize("tone", list(Tone))
async def test_a_word_before_the_draft_asks_for_a_tone(tone: Tone) -> None:
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", f"{tone.capitalize()}: Fine. Whatever.")
        await the_answer(served.slack)

        assert served.screener.drafts == [Draft(text="Fine. Whatever.", tone=tone)]


async def test_any_other_word_before_a_colon_belongs_to_the_draft() -> None:
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", "Update: fine. Warmly: no.")
        await the_answer(served.slack)

        assert served.screener.drafts == [Draft(text="Update: fine. Warmly: no.")]


@pytest.mark.parametrize("text", ["", "   ", "warm:"])
async def test_no_draft_opens_the_composer(transport: str, text: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        await served.slack.command("/angel", text)

        view = await the_view(served.slack, "Your draft")
        tone = next(block["element"] for block in view["blocks"] if block["block_id"] == "tone")
        assert tone["initial_option"]["value"] == ("warm" if "warm" in text else "playful")


async def test_a_composer_that_does_not_open_is_said() -> None:
    async with serving(FakeScreener(), "http") as served:
        served.slack.fail("views.open", error="expired_trigger_id")
        await served.slack.command("/angel", "")

        assert "didn't open in time" in seen(await the_answer(served.slack))


async def test_mentions_and_links_reach_the_model_as_placeholders_and_come_back() -> None:
    def polite(draft: Draft) -> Verdict:
        return CAUTION.model_copy(update={"rewrite": draft.text.replace("finally", "kindly")})

    async with serving(FakeScreener(polite), "http") as served:
        slack = served.slack
        await slack.command("/angel", "@maria finally read https://example.org/plan & <3")

        answer = await the_answer(slack)
        assert served.screener.drafts[0].text.startswith(
            "[[1:@maria]] finally read [[2:https://example.org/plan]] & <3"
        )
        assert f"<@{slack.other}|maria> kindly read <https://example.org/plan>" in answer["text"]
        assert "&amp; &lt;3" in answer["text"]
        assert f"<@{slack.other}>" in seen(answer)


# What can go wrong


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (Busy("Give me a few seconds."), "Give me a few seconds."),
        (ModelMisconfigured("Set OPENAI_API_KEY to zebra."), BROKEN),
        (OurOwn("operators: look at zebra"), FAILED),
        (Oddity("zebra in the draft"), BUG),
    ],
)
@pytest.mark.parametrize("way", ["command", "check_message", "thread", "composer", "button"])
async def test_whatever_goes_wrong_is_a_kind_sentence_on_every_way_in(
    way: str, trouble: Exception, said: str, transport: str
) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack, served.screener.answer = served.slack, trouble
        match way:
            case "command":
                await slack.command("/angel", "Fine.")
            case "check_message":
                await slack.message_shortcut("check_message", slack.post("Fine."))
            case "thread":
                parent = slack.post("Who does it?")
                await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
            case "composer":
                await slack.global_shortcut("write_with_angel")
                await slack.submit(await the_view(slack, "Your draft"), {"draft": "Fine."})
            case "button":
                served.screener.answer = CAUTION
                await slack.command("/angel", "Fine.")
                answer = await the_answer(slack)
                served.screener.answer = trouble
                await slack.press(answer, "tone_warm")
        shown = await slack.changed(
            lambda: next(
                (seen(each) for each in [*slack.ephemerals(), *slack.views()] if said in seen(each)),
                None,
            )
        )
        assert shown
        assert "zebra" not in shown
        assert slack.notices() == []


async def test_one_can_try_again_after_trouble() -> None:
    async with serving(FakeScreener(Busy("One moment.")), "http") as served:
        slack = served.slack
        await slack.command("/angel", "warm: Fine.")
        answer = await the_answer(slack)
        served.screener.answer = CAUTION

        await slack.press(answer, "another_version")

        await slack.changed(lambda: "Sure, happy to!" in seen(slack.ephemerals()[0]))
        assert served.screener.drafts[-1] == Draft(text="Fine.", tone=Tone.WARM)


async def test_a_draft_that_is_too_long_is_said_to_be_and_asks_no_model() -> None:
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", "x" * 4001)

        assert "4,001 characters" in seen(await the_answer(served.slack))
        assert served.screener.drafts == []


@pytest.mark.parametrize("fallback", list(Fallback))
async def test_a_fallback_says_that_it_is_one_and_what_it_misses(fallback: Fallback) -> None:
    verdict = CAUTION.model_copy(update={"fallback": fallback, "offline": True, "model": "offline"})
    async with serving(FakeScreener(verdict), "http") as served:
        await served.slack.command("/angel", "Fine.")

        words = seen(await the_answer(served.slack))
        assert "my offline check stood in" in words
        assert OFFLINE_NOTE in words


async def test_caution_without_a_rewrite_gives_its_tip_or_says_there_is_none() -> None:
    tip = "Say what you need instead."
    async with serving(FakeScreener(CAUTION.model_copy(update={"rewrite": None, "tip": tip})), "http") as served:
        await served.slack.command("/angel", "Fine.")
        assert tip in seen(await the_answer(served.slack))
    async with serving(FakeScreener(CAUTION.model_copy(update={"rewrite": None})), "http") as served:
        await served.slack.command("/angel", "Fine.")
        assert "I have no rewrite for this one" in seen(await the_answer(served.slack))


async def test_what_the_rewrite_lost_and_added_is_said() -> None:
    verdict = CAUTION.model_copy(update={"rewrite": "See you at 15:00"})
    async with serving(FakeScreener(verdict), "http") as served:
        await served.slack.command("/angel", "Fine. @maria be there at 14:00")

        words = seen(await the_answer(served.slack))
        assert "Left out of the rewrite: @\u2060maria, 14:00" in words
        assert "New in the rewrite, so have a look: 15:00" in words


# Taking long


@pytest.mark.parametrize("way", ["command", "check_message", "button"])
async def test_a_slow_check_says_once_that_it_is_reading_and_the_answer_replaces_that(way: str, transport: str) -> None:
    screener = FakeScreener()
    async with serving(screener, transport, patience=0.01) as served:
        slack = served.slack
        if way == "button":
            await slack.command("/angel", "Fine.")
            answer = await the_answer(slack)
        screener.gate.clear()
        if way == "command":
            await slack.command("/angel", "Fine.")
        elif way == "check_message":
            await slack.message_shortcut("check_message", slack.post("Fine."))
        else:
            await slack.press(answer, "tone_warm")
            await slack.changed(lambda: "Still reading" in seen(slack.ephemerals()[0]))
        assert "Still reading" in seen(await the_answer(slack))

        screener.gate.set()

        await slack.changed(lambda: CAUTION_SENTENCE in seen(slack.ephemerals()[0]))
        assert len(slack.ephemerals()) == 1
        assert [message["text"] for message in slack.messages(slack.channel)] == ["Fine."] * (way == "check_message")


# The message shortcut


async def test_a_message_is_checked_from_its_menu(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        message = slack.post("Fine.", user=slack.other)
        await slack.message_shortcut("check_message", message)

        answer = await the_answer(slack)
        assert CAUTION_SENTENCE in seen(answer)
        assert slack.messages(slack.channel)[0]["text"] == "Fine."


async def test_a_message_in_a_thread_gets_a_modal(transport: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport) as served:
        slack = served.slack
        parent = slack.post("Who does it?")
        await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
        await the_view(slack, "I'm reading")
        screener.gate.set()

        await the_view(slack, CAUTION_SENTENCE)
        assert slack.ephemerals() == []


async def test_the_first_message_of_a_thread_is_answered_in_the_channel() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        parent = slack.post("Fine.")
        slack.post("What is?", thread_ts=parent["ts"])
        await slack.message_shortcut("check_message", slack.messages(slack.channel)[0])

        assert CAUTION_SENTENCE in seen(await the_answer(slack))


async def test_a_modal_that_does_not_open_is_answered_in_the_channel() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        slack.fail("views.open", error="expired_trigger_id")
        parent = slack.post("Who does it?")
        await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))

        assert CAUTION_SENTENCE in seen(await the_answer(slack))


@pytest.mark.parametrize("thread", [False, True])
async def test_a_message_with_no_words_of_its_own_is_said_to_have_none(thread: bool) -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        parent = slack.post("Look:")
        message = slack.post("", thread_ts=parent["ts"] if thread else None)
        await slack.message_shortcut("check_message", message)

        if thread:
            await the_view(slack, NO_TEXT)
        else:
            assert NO_TEXT in seen(await the_answer(slack))
        assert served.screener.drafts == []


# The buttons


async def test_another_tone_replaces_the_answer_in_place(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        await slack.command("/angel", "Fine. @maria")
        answer = await the_answer(slack)
        assert buttons(answer) == ["another_version", "tone_warm", "tone_professional", "tone_brief", "edit_draft"]
        served.screener.answer = CAUTION.model_copy(update={"rewrite": "Gladly, [[1:@maria]]!"})

        await slack.press(answer, "tone_warm")

        await slack.changed(lambda: "Gladly" in seen(slack.ephemerals()[0]))
        assert len(slack.ephemerals()) == 1
        assert served.screener.drafts[-1] == Draft(text="Fine. [[1:@maria]]", tone=Tone.WARM)
        assert "tone_playful" in buttons(slack.ephemerals()[0])
        assert "tone_warm" not in buttons(slack.ephemerals()[0])


async def test_the_same_words_again_are_said_to_be() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "another_version")

        await slack.changed(lambda: "the same words as before" in seen(slack.ephemerals()[0]))


async def test_an_answer_stays_within_the_five_uses_and_says_how_to_go_on() -> None:
    versions = iter("ABCDEFG")
    screener = FakeScreener(lambda draft: CAUTION.model_copy(update={"rewrite": f"Version {next(versions)}"}))
    async with serving(screener, "http") as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        for letter in "ABCD":
            await the_version(slack, letter)
            await slack.press(slack.ephemerals()[0], "another_version")
        await the_version(slack, "E")

        last = slack.ephemerals()[0]
        assert buttons(last) == ["edit_draft"]
        assert "as many versions as fit" in seen(last)
        assert len([call for call in slack.calls if call.method == "response_url"]) == 5


async def test_an_answer_older_than_thirty_minutes_goes_on_in_the_composer() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        await slack.command("/angel", "warm: Fine. @maria")
        answer = await the_answer(slack)
        slack.clock.advance(1800)

        await slack.press(answer, "another_version")

        view = await the_view(slack, "too old to change")
        assert "Fine. @maria" in json.dumps(slack.state(view))
        assert len(served.screener.drafts) == 1


async def test_a_draft_too_long_for_a_button_goes_without_them() -> None:
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", "Fine. " + "really " * 400)

        answer = await the_answer(served.slack)
        assert buttons(answer) == []
        assert "Too long for buttons" in seen(answer)


async def test_an_answer_is_edited_in_the_composer() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        await slack.command("/angel", "brief: Fine. @maria <3")
        await slack.press(await the_answer(slack), "edit_draft")

        state = json.dumps(slack.state(await the_view(slack, "Your draft")))
        assert "Fine. @maria <3" in state
        assert '"value": "brief"' in state


async def test_the_buttons_of_a_modal_work_in_it() -> None:
    async with serving(FakeScreener(), "socket_mode") as served:
        slack = served.slack
        parent = slack.post("Who does it?")
        await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
        view = await the_view(slack, CAUTION_SENTENCE)
        served.screener.answer = CAUTION.model_copy(update={"rewrite": "With pleasure!"})

        await slack.press(view, "tone_professional")
        view = await the_view(slack, "With pleasure!")
        assert served.screener.drafts[-1].tone is Tone.PROFESSIONAL

        await slack.press(view, "edit_draft")
        view = await the_view(slack, "Your draft")
        assert "Fine." in json.dumps(slack.state(view))


# The composer


async def test_the_composer_checks_a_draft_and_takes_its_rewrite(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        await slack.global_shortcut("write_with_angel")
        view = await the_view(slack, "Your draft")
        typed = {"draft": "Fine.\nI'll do it.", "tone": "brief", "context": "to my manager"}
        delivery = await slack.submit(view, typed)
        assert delivery.answer["response_action"] == "update"

        view = await the_view(slack, CAUTION_SENTENCE)
        assert served.screener.drafts == [Draft(text="Fine.\nI'll do it.", tone=Tone.BRIEF, context="to my manager")]
        assert "Sure, happy to!" in seen(view)
        assert "I'll do it." in json.dumps(slack.state(view))

        await slack.press(view, "use_rewrite")
        await slack.changed(lambda: "Sure, happy to!" in json.dumps(slack.state(the_modal(slack))))
        view = the_modal(slack)
        assert CAUTION_SENTENCE not in seen(view)
        assert "to my manager" in json.dumps(slack.state(view))

        served.screener.answer = GOOD
        await slack.submit(view)
        await the_view(slack, GOOD_SENTENCE)
        assert served.screener.drafts[-1] == Draft(text="Sure, happy to!", tone=Tone.BRIEF, context="to my manager")


async def test_the_composer_keeps_what_was_typed_through_errors(transport: str) -> None:
    async with serving(FakeScreener(Busy("One moment.")), transport) as served:
        slack = served.slack
        await slack.global_shortcut("write_with_angel")
        view = await the_view(slack, "Your draft")
        await slack.submit(view, {"draft": "Fine. Long and dear to me.", "context": "to Sam"})

        view = await the_view(slack, "One moment.")
        assert "long and dear to me" in json.dumps(slack.state(view)).lower()
        assert "to Sam" in json.dumps(slack.state(view))


async def test_a_draft_with_nothing_to_read_is_said_under_its_input() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        await slack.global_shortcut("write_with_angel")
        view = await the_view(slack, "Your draft")
        delivery = await slack.submit(view, {"draft": "\u200b\u200b"})

        assert delivery.answer["response_action"] == "errors"
        assert "nothing to read yet" in "".join(slack.view_errors(the_modal(slack)).values())
        assert served.screener.drafts == []


async def test_a_composer_that_was_closed_meanwhile_is_no_trouble() -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, "http") as served:
        slack = served.slack
        await slack.global_shortcut("write_with_angel")
        await slack.submit(await the_view(slack, "Your draft"), {"draft": "Fine."})
        await slack.close(the_modal(slack))
        screener.gate.set()
        await slack.changed(lambda: any(call.method == "views.update" for call in slack.calls))

        assert slack.views() == []


async def test_an_answer_that_is_labelled_good_never_shows_a_rewrite() -> None:
    async with serving(FakeScreener(GOOD.model_copy(update={"label": Label.GOOD})), "http") as served:
        await served.slack.command("/angel", "All good")

        assert "Suggested rewrite" not in seen(await the_answer(served.slack))
