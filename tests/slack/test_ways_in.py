"""Every way in, over both transports: what a person does, and what they see."""

import json
import time

import pytest

from bot.errors import Busy, DraftRejected, ModelMisconfigured
from bot.local_slack.slack import LocalSlack
from bot.slack.wording import (
    BROKEN,
    BUG,
    FAILED,
    KEEPS_NOTHING,
    KEEPS_NUMBERS,
    KEEPS_TEXT,
    NO_TEXT,
    SAME_AGAIN,
    STALE_BUTTON,
    STILL_READING,
)
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, UNREAD_SENTENCE, Draft, Fallback, Label, Tone, Verdict
from tests.slack.conftest import (
    CAUTION,
    GOOD,
    OFFLINE_NOTE,
    FakeRecorder,
    FakeScreener,
    Oddity,
    OurOwn,
    buttons,
    pressable,
    seen,
    serving,
    the_answer,
    the_modal,
    the_view,
    vote_buttons,
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
            "Checked by a-model, version 3 · playful tone",
        ):
            assert words in seen(answer)
        assert answer["text"] == f"{CAUTION_SENTENCE} Suggested rewrite:\nSure, happy to!"
        assert slack.messages(slack.channel) == []
        assert slack.ephemerals(user=slack.other) == []


async def test_a_good_draft_is_good_to_go(transport: str) -> None:
    async with serving(FakeScreener(GOOD), transport) as served:
        await served.slack.command("/angel", "Thanks for the help!")

        answer = await the_answer(served.slack)
        assert answer["text"] == f"{GOOD_SENTENCE}\nThanks for the help!"
        assert GOOD_SENTENCE in seen(answer)
        assert buttons(answer) == []


@pytest.mark.parametrize("way", ["command", "check_message", "composer"])
async def test_a_draft_in_a_language_that_nothing_here_reads_is_kindly_said_to_be_unread(way: str) -> None:
    unread = Verdict(label=Label.UNREAD, model="offline", offline=True)
    async with serving(FakeScreener(unread), "http") as served:
        slack = served.slack
        if way == "command":
            await slack.command("/angel", "Eres un imbécil.")
            answer = await the_answer(slack)
            assert "Eres un imbécil." in seen(answer), "to go on with"
        elif way == "check_message":
            await slack.message_shortcut("check_message", slack.post("Eres un imbécil."))
            answer = await the_answer(slack)
        else:
            await slack.global_shortcut("write_with_angel")
            await slack.submit(await the_view(slack, "Your draft"), {"draft": "Eres un imbécil."})
            answer = await the_view(slack, UNREAD_SENTENCE)

        assert UNREAD_SENTENCE in seen(answer)
        assert GOOD_SENTENCE not in seen(answer)
        assert buttons(answer) == []
        assert vote_buttons(answer) == [], "there is no judgement to vote on"


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
async def test_help_explains_in_a_few_lines_and_says_what_is_kept(
    text: str, recorder: FakeRecorder | None, privacy: str
) -> None:
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        await served.slack.command("/angel", text)

        said = (await the_answer(served.slack))["text"]
        assert len(said.splitlines()) == 7
        assert said.splitlines()[-1] == privacy, "on a line of its own"
        assert OFFLINE_NOTE in said, "in full here, and in a few words under an answer"
        assert not {"<", "{"} & set(said), "Slack would read it as a link"
        assert served.screener.drafts == []


def test_what_is_kept_is_said_plainly() -> None:
    for nothing in (KEEPS_NOTHING, KEEPS_NUMBERS):
        assert "I keep none of your words." in nothing
    assert "I keep your words only if you say so after a vote." in KEEPS_TEXT


@pytest.mark.parametrize(
    ("word", "tone"),
    [
        *((tone.value, tone) for tone in Tone),
        ("formal", Tone.PROFESSIONAL),
        ("friendly", Tone.WARM),
        ("short", Tone.BRIEF),
        ("funny", Tone.PLAYFUL),
    ],
)
async def test_a_word_before_the_draft_asks_for_a_tone_which_the_small_print_names(word: str, tone: Tone) -> None:
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", f"{word}: Fine. Whatever.")

        assert f"· {tone.value} tone" in seen(await the_answer(served.slack))
        assert served.screener.drafts == [Draft(text="Fine. Whatever.", tone=tone)]


@pytest.mark.parametrize(
    "draft",
    [
        "Update: fine. Warmly: no.",
        "Short: we lost them.",
        "Brief: see below",
        "funny:) that was your idea",
        "warm::30 degrees",
        "friendly fire: no",
        "short:term",
        "in short: no",
        "kindly: no",
    ],
)
async def test_a_draft_that_merely_starts_with_a_word_and_a_colon_is_not_eaten(draft: str) -> None:
    async with serving(FakeScreener(GOOD), "http") as served:
        await served.slack.command("/angel", draft)
        answer = await the_answer(served.slack)

        assert served.screener.drafts == [Draft(text=draft)]
        assert draft in seen(answer)


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
                await slack.press(answer, "another_version")
        shown = await slack.changed(
            lambda: next(
                (seen(each) for each in [*slack.ephemerals(), *filter(None, [slack.view()])] if said in seen(each)),
                None,
            )
        )
        assert shown
        assert "zebra" not in shown
        assert slack.notices() == []


@pytest.mark.parametrize(
    ("trouble", "row"),
    [(Busy("One moment."), ["another_version", "edit_draft"]), (DraftRejected("Too odd."), [])],
)
async def test_a_draft_that_could_not_be_checked_is_given_back(trouble: Exception, row: list[str]) -> None:
    async with serving(FakeScreener(trouble), "http") as served:
        await served.slack.command("/angel", "Fine. @maria <3\nOn my own.")

        answer = await the_answer(served.slack)
        assert f"Fine. \n<@{served.slack.other}>\n <3\nOn my own." in seen(answer)
        assert buttons(answer) == row


@pytest.mark.parametrize("text", ["x" * 4_001, "x" * 12_000, "語" * 4_001])
async def test_a_draft_too_long_to_be_checked_is_given_back_whole(text: str) -> None:
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", text)

        answer = await the_answer(served.slack)
        assert text in (seen(answer) if answer.get("blocks") else answer["text"])


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
        assert "my offline check stood in: it knows phrases, not meaning" in words
        assert OFFLINE_NOTE not in words, "that is for the help"


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


async def test_trouble_with_another_version_leaves_the_answer_that_there_is() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        answer = await the_answer(slack)
        served.screener.answer = Busy("One moment.")

        await slack.press(answer, "another_version")

        await slack.changed(lambda: len(slack.ephemerals()) == 2)
        assert slack.ephemerals()[0] == answer
        assert "One moment." in seen(slack.ephemerals()[1])
        assert buttons(slack.ephemerals()[1]) == ["another_version", "edit_draft"]


# What Slack won't take


@pytest.mark.parametrize("place", ["reply", "button", "modal", "composer"])
async def test_an_answer_that_slack_refuses_is_said_once_more_as_plain_text(place: str, transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        if place == "reply":
            slack.fail("response_url", status=400)
            await slack.command("/angel", "Fine.")
        elif place == "button":
            await slack.command("/angel", "Fine.")
            answer = await the_answer(slack)
            slack.fail("response_url", status=400)
            await slack.press(answer, "another_version")
            await slack.changed(lambda: len(slack.ephemerals()) == 2)
        elif place == "modal":
            slack.fail("views.update", error="invalid_arguments")
            parent = slack.post("Who does it?")
            await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
        else:
            await slack.global_shortcut("write_with_angel")
            view = await the_view(slack, "Your draft")
            slack.fail("views.update", error="view_too_large")
            await slack.submit(view, {"draft": "Fine."})

        def in_words() -> list[str]:
            said = [each["text"] for each in slack.ephemerals() if not each.get("blocks")]
            return [each for each in [*said, *map(seen, filter(None, [slack.view()]))] if "Sure, happy to!" in each]

        (words,) = await slack.changed(in_words)
        assert "may sting" in words if place == "modal" else CAUTION_SENTENCE in words


@pytest.mark.parametrize("what", ["response_url", "views.update"])
async def test_an_answer_whose_place_is_gone_is_not_tried_again(what: str) -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        if what == "response_url":
            slack.fail(what, status=404, times=9)
            await slack.command("/angel", "Fine.")
        else:
            slack.fail(what, error="not_found", times=9)
            await slack.global_shortcut("write_with_angel")
            await slack.submit(await the_view(slack, "Your draft"), {"draft": "Fine."})
        await served.end()

        assert len([call for call in slack.calls if call.method == what]) == 1


@pytest.mark.parametrize(("asked_for", "attempts"), [(1, 2), (11, 1)])
async def test_slack_is_given_the_time_it_asks_for_within_bounds(asked_for: int, attempts: int) -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        slack.fail("response_url", status=429, retry_after=asked_for)
        began = time.monotonic()
        await slack.command("/angel", "Fine.")
        await served.end()
        took = time.monotonic() - began

        assert len([call for call in slack.calls if call.method == "response_url"]) == attempts
        assert took >= 1 if attempts == 2 else not slack.ephemerals()


# Taking long


@pytest.mark.parametrize("way", ["command", "check_message"])
async def test_a_slow_check_says_once_that_it_takes_longer_in_words_that_may_stand(way: str, transport: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport, patience=0.01) as served:
        slack = served.slack
        if way == "command":
            await slack.command("/angel", "Fine.")
        else:
            await slack.message_shortcut("check_message", slack.post("Fine."))
        await slack.changed(lambda: [each for each in slack.ephemerals() if STILL_READING in seen(each)])

        screener.gate.set()

        await slack.changed(lambda: [each for each in slack.ephemerals() if "Sure, happy to!" in seen(each)])
        # Nothing replaces what came through the response_url of a command or a shortcut.
        asked_to_replace = [call.request["replace_original"] for call in slack.calls if call.method == "response_url"]
        assert asked_to_replace == [False, False]


async def test_a_slow_version_is_read_in_the_place_of_the_answer_and_replaced_by_it(transport: str) -> None:
    screener = FakeScreener()
    async with serving(screener, transport, patience=0.01) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        answer = await the_answer(slack)
        screener.gate.clear()
        await slack.press(answer, "another_version")
        await slack.changed(lambda: STILL_READING in seen(slack.ephemerals()[0]))
        assert len(slack.ephemerals()) == 1

        screener.gate.set()

        await slack.changed(lambda: CAUTION_SENTENCE in seen(slack.ephemerals()[0]))
        assert len(slack.ephemerals()) == 1


@pytest.mark.parametrize("place", ["reply", "modal", "composer"])
async def test_a_still_reading_that_fails_ends_no_check_and_is_tried_once(place: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, "http", patience=0.01) as served:
        slack = served.slack
        what = "response_url" if place == "reply" else "views.update"
        slack.fail(what, status=500, times=1)
        if place == "reply":
            await slack.command("/angel", "Fine.")
        elif place == "modal":
            parent = slack.post("Who does it?")
            await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
        else:
            await slack.global_shortcut("write_with_angel")
            await slack.submit(await the_view(slack, "Your draft"), {"draft": "Fine."})
        await slack.changed(lambda: any(call.method == what for call in slack.calls))
        screener.gate.set()

        await slack.changed(
            lambda: [each for each in [*slack.ephemerals(), *filter(None, [slack.view()])] if "Sure" in seen(each)]
        )
        uses = [call for call in slack.calls if call.method == what]
        assert len(uses) == 2, "no use of the answer's is spent on it"


# The message shortcut


@pytest.mark.parametrize("whose", ["own", "somebody_else's"])
async def test_a_message_is_checked_from_its_menu(whose: str, transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        message = slack.post("Fine. Do it @maria", user=slack.user if whose == "own" else slack.other)
        await slack.message_shortcut("check_message", message)

        answer = await the_answer(slack)
        assert answer["blocks"][0]["elements"][0]["type"] == "rich_text_quote"
        assert seen(answer).startswith("Fine. Do it @")
        if whose == "own":
            assert "This one is out already, and it may sting." in seen(answer)
            assert "What you could change it to" in seen(answer)
            assert buttons(answer) == ["another_version", "tone", "edit_draft"]
        else:
            assert "This message may sting" in seen(answer)
            assert "How it could have been said" in seen(answer)
            assert buttons(answer) == ["another_version", "tone"]
        assert CAUTION_SENTENCE not in seen(answer), "it is not about to be sent"
        assert slack.messages(slack.channel)[0]["text"].startswith("Fine.")


async def test_a_message_in_a_thread_gets_a_modal(transport: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport) as served:
        slack = served.slack
        parent = slack.post("Who does it?")
        await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
        await the_view(slack, "I'm reading")
        screener.gate.set()

        await the_view(slack, "This one is out already, and it may sting.")
        assert slack.ephemerals() == []


async def test_the_first_message_of_a_thread_gets_a_modal_which_is_seen_from_thread_and_channel() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        parent = slack.post("Fine.")
        slack.post("What is?", thread_ts=parent["ts"])
        await slack.message_shortcut("check_message", slack.messages(slack.channel)[0])

        await the_view(slack, "This one is out already")
        assert slack.ephemerals() == []


async def test_a_modal_that_does_not_open_is_answered_in_the_channel() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        slack.fail("views.open", error="expired_trigger_id")
        parent = slack.post("Who does it?")
        await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))

        assert "This one is out already" in seen(await the_answer(slack))


@pytest.mark.parametrize("trouble", [Busy("One moment."), Oddity("a bug")])
async def test_trouble_after_a_modal_did_not_open_is_said_in_the_channel(trouble: Exception) -> None:
    async with serving(FakeScreener(trouble), "http") as served:
        slack = served.slack
        slack.fail("views.open", error="expired_trigger_id")
        parent = slack.post("Who does it?")
        await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))

        assert ("One moment." if isinstance(trouble, Busy) else BUG) in seen(await the_answer(slack))


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
        assert buttons(answer) == ["another_version", "tone", "edit_draft"]
        served.screener.answer = CAUTION.model_copy(update={"rewrite": "Gladly, [[1:@maria]]!"})

        picked = await slack.press(answer, "tone", "warm")
        await slack.press(answer, "another_version")

        await slack.changed(lambda: "Gladly" in seen(slack.ephemerals()[0]))
        assert picked.acked
        assert len(slack.ephemerals()) == 1
        assert served.screener.drafts[-1] == Draft(text="Fine. [[1:@maria]]", tone=Tone.WARM)
        menu = pressable(slack.ephemerals()[0], "tone")
        assert menu["initial_option"]["value"] == "warm"
        ids = [{block["block_id"] for block in each["blocks"]} for each in (answer, slack.ephemerals()[0])]
        assert not ids[0] & ids[1] - {"rewrite"}, "a menu with its old id would go on showing what was picked"


async def test_another_version_is_told_what_was_said_before() -> None:
    versions = iter(["Sure, happy to!", "Gladly!", "Gladly!"])
    screener = FakeScreener(lambda draft: CAUTION.model_copy(update={"rewrite": next(versions)}))
    async with serving(screener, "http") as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "another_version")
        await slack.changed(lambda: "Gladly!" in seen(slack.ephemerals()[0]))
        assert screener.drafts[-1] == Draft(text="Fine.", previous="Sure, happy to!")
        assert SAME_AGAIN not in seen(slack.ephemerals()[0])

        await slack.press(slack.ephemerals()[0], "another_version")

        await slack.changed(lambda: SAME_AGAIN in seen(slack.ephemerals()[0]))
        assert screener.drafts[-1] == Draft(text="Fine.", previous="Gladly!")


@pytest.mark.parametrize("minutes", [0, 31])
async def test_a_chain_of_versions_has_no_end_since_each_press_brings_an_address_of_its_own(minutes: int) -> None:
    versions = iter("ABCDEFGH")
    screener = FakeScreener(lambda draft: CAUTION.model_copy(update={"rewrite": f"Version {next(versions)}"}))
    async with serving(screener, "http") as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        for letter in "ABCDEFG":
            await the_version(slack, letter)
            slack.clock.advance(60 * minutes)
            await slack.press(slack.ephemerals()[0], "another_version")
        await the_version(slack, "H")

        assert buttons(slack.ephemerals()[0]) == ["another_version", "tone", "edit_draft"]


@pytest.mark.parametrize("value", ["", "{", "[1]", '{"tone":"warm"}'])
@pytest.mark.parametrize("action", ["another_version", "edit_draft", "vote", "keep_text"])
async def test_a_press_is_acked_also_where_nothing_can_be_made_of_what_the_button_carries(
    action: str, value: str, transport: str
) -> None:
    async with serving(FakeScreener(), transport, recorder=FakeRecorder(keeps_text=True)) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        delivery = await slack.press(await the_answer(slack), "another_version")
        await slack.changed(lambda: len(served.screener.drafts) == 2)

        delivery.payload["actions"][0] |= {"action_id": action, "value": value}
        delivery.payload["trigger_id"] = "another"
        again = await slack.redeliver(delivery)
        await served.end()

        assert again.acked
        assert slack.notices() == []
        said = "\n".join(map(seen, slack.ephemerals()))
        assert (STALE_BUTTON in said) is (action in ("another_version", "edit_draft"))
        assert BUG not in said


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
        view = await the_view(slack, "This one is out already")
        served.screener.answer = CAUTION.model_copy(update={"rewrite": "With pleasure!"})

        await slack.press(view, "tone", "professional")
        await slack.press(view, "another_version")
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

        assert slack.view() is None


async def test_an_answer_that_is_labelled_good_never_shows_a_rewrite() -> None:
    async with serving(FakeScreener(GOOD.model_copy(update={"label": Label.GOOD})), "http") as served:
        await served.slack.command("/angel", "All good")

        assert "Suggested rewrite" not in seen(await the_answer(served.slack))
