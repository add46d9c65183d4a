"""The Home tab: a draft tried there, one's tone, connecting and its end, and the rules of a workspace."""

from pathlib import Path

from bot.slack import wording
from bot.slack.home import ANY_TONE, CONNECT, DISCONNECT, DRAFT, HOME_TONE, OPEN_RULES, TRY
from bot.store.terms import PersonsChoices, WorkspaceRules
from bot.verdict import Tone
from tests.slack.conftest import CAUTION, GOOD, FakeScreener, serving
from tests.slack.many import JSON, Many, many
from tests.slack.test_sending import action_ids, answer_to, element, modal


async def home(angel: Many, *, user: str | None = None) -> JSON:
    slack = angel.slack
    before = published(angel)
    await slack.open_home(user=user)
    view = await slack.changed(lambda: slack.home(user) if published(angel) > before else None)
    assert view is not None
    return view


async def kept(angel: Many, tone: str) -> None:
    """Returns once the Home tab, opened again, shows that tone: a choice is acknowledged before it is kept."""
    shown = ""
    while shown != tone:
        blocks = (await home(angel))["blocks"]
        (menu,) = [block["accessory"] for block in blocks if block.get("accessory", {}).get("action_id") == HOME_TONE]
        shown = menu["initial_option"]["value"]


def published(angel: Many) -> int:
    return len([call for call in angel.slack.calls if call.method == "views.publish"])


def pressable(view: JSON) -> list[str]:
    accessories = [block["accessory"]["action_id"] for block in view["blocks"] if "accessory" in block]
    return [*action_ids(view), *accessories]


async def test_it_says_what_angel_does_who_reads_and_what_is_kept(tmp_path: Path) -> None:
    async with many(tmp_path) as angel:
        await angel.install()
        words = str(await home(angel))
        for said in ("only you see what I say", "Drafts are read by a-model, at OpenAI.", wording.KEEPS_NOTHING):
            assert said in words


async def test_a_draft_is_tried_in_a_modal(tmp_path: Path) -> None:
    async with many(tmp_path, FakeScreener(CAUTION)) as angel:
        await angel.install()
        view = await home(angel)
        angel.slack.fill(view, {DRAFT: "Fine."})
        await angel.slack.press(view, TRY)
        assert "Sure, happy to!" in str(await modal(angel, lambda view: "Sure, happy" in str(view)))
        assert angel.served.screener.drafts[0].text == "Fine."


async def test_an_empty_box_is_said_to_be_empty(tmp_path: Path) -> None:
    async with many(tmp_path) as angel:
        await angel.install()
        await angel.slack.press(await home(angel), TRY)
        await modal(angel, lambda view: "nothing in the box" in str(view))


async def test_the_tone_that_was_chosen_is_taken_where_none_is_named(tmp_path: Path) -> None:
    async with many(tmp_path, FakeScreener(GOOD)) as angel:
        await angel.install()
        view = await home(angel)
        await angel.slack.press(view, HOME_TONE, Tone.PROFESSIONAL.value)
        await kept(angel, Tone.PROFESSIONAL.value)
        for text in ("Fine.", "short: Fine."):
            await answer_to(angel, text)
        await angel.slack.press(await home(angel), HOME_TONE, ANY_TONE)
        await kept(angel, ANY_TONE)
        await answer_to(angel, "Fine.")
        tones = [draft.tone for draft in angel.served.screener.drafts]
        assert tones == [Tone.PROFESSIONAL, Tone.BRIEF, Tone.PLAYFUL]


async def test_connecting_and_disconnecting(tmp_path: Path) -> None:
    async with many(tmp_path) as angel:
        await angel.install()
        view = await home(angel)
        link = element(view, CONNECT)["url"]
        assert "connected" in (await angel.connect(link)).text
        view = await home(angel)
        assert CONNECT not in pressable(view)
        token = await angel.store.tokens.of_person(angel.person())
        await angel.slack.press(view, DISCONNECT)
        await angel.slack.changed(lambda: CONNECT in pressable(angel.slack.home() or {"blocks": []}))
        assert await angel.store.tokens.of_person(angel.person()) is None
        revoked = [call for call in angel.slack.calls if call.method == "auth.revoke"]
        assert len(revoked) == 1
        assert token


async def test_whoever_installed_it_sets_the_rules_and_nobody_else(tmp_path: Path) -> None:
    async with many(tmp_path, FakeScreener(GOOD)) as angel:
        slack = angel.slack
        await angel.install()
        assert OPEN_RULES not in pressable(await home(angel, user=slack.other))
        await slack.press(await home(angel), OPEN_RULES)
        form = await modal(angel)
        await slack.submit(
            form,
            {
                "denied_channels": [slack.quiet],
                "denied_people": [slack.other],
                "house_style": " We say  please. Always. ",
                "may_connect": "nobody",
                "about": "We run it on our own server.",
            },
        )
        await slack.changed(lambda: "our own server" in str(slack.home()))
        rules = await angel.store.choices.of_workspace(angel.person().workspace)
        assert rules == WorkspaceRules(
            denied_channels=(slack.quiet,),
            denied_people=(slack.other,),
            house_style="We say please. Always.",
            may_connect="nobody",
            about="We run it on our own server.",
        )
        # They hold from now on.
        denied = await answer_to(angel, "Fine.", channel=slack.quiet)
        assert denied["text"].startswith(wording.NOT_HERE)
        assert (await answer_to(angel, "Fine.", user=slack.other))["text"].startswith(wording.NOT_HERE)
        assert angel.served.screener.drafts == []
        assert CONNECT not in action_ids(await answer_to(angel, "Fine."))
        assert angel.served.screener.drafts[0].context == wording.house_style("We say please. Always.")
        # The form shows what holds.
        await slack.press(await home(angel), OPEN_RULES)
        assert "We say please. Always." in str(await modal(angel))


async def test_a_store_that_is_down_is_said_and_drafts_are_read_all_the_same(tmp_path: Path) -> None:
    async with many(tmp_path, FakeScreener(GOOD)) as angel:
        await angel.install()
        view = await home(angel)
        await angel.store.database.engine.dispose()
        (tmp_path / "angel.db").rename(tmp_path / "hidden")
        (tmp_path / "angel.db").mkdir()
        for beside in ("angel.db-wal", "angel.db-shm"):
            (tmp_path / beside).unlink(missing_ok=True)
        assert (await answer_to(angel, "Fine."))["text"].startswith("Good to Go!")
        await angel.slack.press(view, HOME_TONE, Tone.BRIEF.value)
        await modal(angel, lambda view: "remember" in str(view))


async def test_without_a_store_it_says_what_can_be_had() -> None:
    from bot.local_slack.slack import LocalSlack
    from tests.slack.many import variant

    async with serving(FakeScreener(GOOD), "http", slack=LocalSlack(manifest=variant())) as served:
        await served.slack.open_home()
        view = await served.slack.changed(served.slack.home)
        assert view is not None
        assert "guide for operators" in str(view)
        assert HOME_TONE not in pressable(view)
        served.slack.fill(view, {DRAFT: "Fine."})
        await served.slack.press(view, TRY)
        await served.slack.changed(lambda: "Good to Go!" in str(served.slack.view()))


async def test_choices_of_one_person_are_not_anothers(tmp_path: Path) -> None:
    async with many(tmp_path) as angel:
        await angel.install()
        await angel.slack.press(await home(angel), HOME_TONE, Tone.WARM.value)
        await angel.served.end()
        assert (await angel.store.choices.of_person(angel.person())).tone is Tone.WARM
        assert await angel.store.choices.of_person(angel.person(angel.slack.other)) == PersonsChoices()
