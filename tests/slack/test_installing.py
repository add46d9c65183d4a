"""Any workspace installs Angel, people connect, and what ends is forgotten: through the browser and Slack's events."""

import time
from functools import partial
from pathlib import Path

import pytest

from bot.local_slack.clock import Clock
from bot.slack.install import CONNECT_SECONDS
from bot.store.database import Database
from bot.store.owners import Person, Workspace
from bot.store.terms import WorkspaceRules
from tests.slack.many import Many, many


async def ask(angel: Many, *, user: str | None = None, text: str = "Fine.", channel: str | None = None) -> bool:
    delivery = await angel.slack.command("/angel", text, user=user, channel=channel)
    return delivery.acked


async def test_a_workspace_that_installed_it_gets_answers_and_modals(tmp_path: Path) -> None:
    async with many(tmp_path) as angel:
        page = await angel.install()
        assert page.status == 200
        assert "Angel is in" in page.text
        assert await ask(angel)
        await angel.slack.changed(angel.slack.ephemerals)
        await angel.slack.global_shortcut("write_with_angel")
        assert await angel.slack.changed(angel.slack.view)


async def test_two_workspaces_each_act_with_their_own_token(tmp_path: Path) -> None:
    async with many(tmp_path) as angel:
        slack = angel.slack
        await angel.install()
        await angel.install(user=slack.second_user)
        for user in (slack.user, slack.second_user):
            await slack.global_shortcut("write_with_angel", user=user)
            assert await slack.changed(partial(slack.view, user))
        assert len(set(await _bot_tokens(angel))) == 2


async def _bot_tokens(angel: Many) -> list[str]:
    return [await angel.store.tokens.of_bot(one.workspace) for one in await angel.store.tokens.listed()]


async def test_an_organisation_installs_it_once_for_all_its_workspaces(tmp_path: Path) -> None:
    async with many(tmp_path, org=True) as angel:
        slack = angel.slack
        assert (await angel.install(org_wide=True)).status == 200
        for user in (slack.user, slack.second_user):
            await slack.global_shortcut("write_with_angel", user=user)
            assert await slack.changed(partial(slack.view, user))


async def test_a_rotated_token_is_renewed_when_it_is_needed(tmp_path: Path) -> None:
    clock = Clock(frozen=True)
    async with many(tmp_path, rotation=True, clock=clock) as angel:
        await angel.install()
        row = await angel.store.installations.async_find_bot(enterprise_id=None, team_id=angel.slack.team)
        assert row is not None
        # By this machine's clock it has all but expired.
        row.bot_token_expires_at = 1_000
        await angel.store.installations.async_save_bot(row)
        await angel.slack.global_shortcut("write_with_angel")
        assert await angel.slack.changed(angel.slack.view)
        assert await angel.store.tokens.of_bot(angel.person().workspace) != row.bot_token


async def test_every_way_it_can_end_is_a_page_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with many(tmp_path) as angel:
        slack, pages = angel.slack, {}
        pages["denied"] = await angel.install(allow=False)
        begun = await angel.get(f"{angel.url}/slack/install")
        back = await slack.authorize(begun.location)
        pages["another browser"] = await angel.get(back)
        assert (await angel.get(back, begun.cookies)).status == 200
        pages["used twice"] = await angel.get(back, begun.cookies)
        begun = await angel.get(f"{angel.url}/slack/install")
        pages["no code"] = await angel.get(
            f"{angel.url}/slack/oauth_redirect?state={begun.cookies['slack-app-oauth-state']}", begun.cookies
        )
        begun = await angel.get(f"{angel.url}/slack/install")
        back = await slack.authorize(begun.location)
        slack.fail("oauth.v2.access", error="invalid_code")
        pages["refused"] = await angel.get(back, begun.cookies)
        begun = await angel.get(f"{angel.url}/slack/install")
        back = await slack.authorize(begun.location)
        slack.fail("oauth.v2.access", hang=True)
        pages["slack hangs"] = await angel.get(back, begun.cookies)
        pages["made up link"] = await angel.get(f"{angel.url}/slack/connect?for=nonsense")
        pages["no link"] = await angel.get(f"{angel.url}/slack/connect")

        titles = {name: page.text.split("<h1>")[1].split("</h1>")[0] for name, page in pages.items()}
        assert titles == {
            "denied": "Nothing has changed",
            "another browser": "That took too long",
            "used twice": "That took too long",
            "no code": "Slack said no",
            "refused": "Slack said no",
            "slack hangs": "Slack said no",
            "made up link": "This link has expired",
            "no link": "This link has expired",
        }
        assert all("Traceback" not in page.text for page in pages.values())


async def test_a_store_that_is_down_is_a_page_too_and_nothing_is_kept(tmp_path: Path) -> None:
    async with many(tmp_path) as angel:
        await angel.install()
        link = angel.link()
        begun = await angel.get(link)
        back = await angel.slack.authorize(begun.location)
        await _break(angel.store.database)
        for address, cookies in ((f"{angel.url}/slack/install", {}), (link, {}), (back, begun.cookies)):
            page = await angel.get(address, cookies)
            assert page.status == 503
            assert "remember" in page.text


async def _break(database: Database) -> None:
    import sqlalchemy as sa

    async with database.engine.begin() as connection:
        for table in ("slack_installations", "slack_oauth_states", "slack_bots", "angel_choices", "angel_sends"):
            await connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO gone_{table}"))


class TestConnecting:
    async def test_who_connects_has_a_token_that_can_only_send(self, tmp_path: Path) -> None:
        async with many(tmp_path) as angel:
            await angel.install()
            page = await angel.connect(angel.link(angel.slack.other), user=angel.slack.other)
            assert "You're connected" in page.text.replace("&#x27;", "'")
            token = await angel.store.tokens.of_person(angel.person(angel.slack.other))
            assert str(token).startswith("xoxp-")
            assert await angel.store.tokens.of_person(angel.person()) is None

    async def test_a_link_is_for_one_person_in_one_workspace(self, tmp_path: Path) -> None:
        async with many(tmp_path) as angel:
            slack = angel.slack
            await angel.install()
            for user in (slack.other, slack.second_user):
                begun = await angel.get(angel.link())
                # Slack's page asks for the workspace we name; somebody may have taken that out of the address.
                address = begun.location.replace(f"&team={slack.team}", "")
                page = await angel.get(await slack.authorize(address, user=user), begun.cookies)
                assert page.status == 403
                assert "another workspace" in page.text
            assert await angel.store.tokens.of_person(angel.person()) is None
            assert await angel.store.tokens.of_person(angel.person(slack.other)) is None
            # What Slack gave for them is revoked, not merely forgotten.
            revoked = [call for call in slack.calls if call.method == "auth.revoke"]
            assert len(revoked) == 2

    async def test_a_link_expires(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with many(tmp_path) as angel:
            link = angel.link()
            later = time.time() + CONNECT_SECONDS + 1
            monkeypatch.setattr("cryptography.fernet.time.time", lambda: later)
            assert "expired" in (await angel.get(link)).text

    async def test_a_workspace_may_not_want_it(self, tmp_path: Path) -> None:
        async with many(tmp_path) as angel:
            await angel.install()
            await angel.store.choices.put_workspace(angel.person().workspace, WorkspaceRules(may_connect="nobody"))
            page = await angel.connect(angel.link())
            assert page.status == 403
            assert "switched this off" in page.text


class TestTheEnd:
    async def test_an_uninstalled_workspace_is_forgotten_at_once(self, tmp_path: Path) -> None:
        async with many(tmp_path) as angel:
            await angel.connected()
            angel.slack.uninstall()
            await angel.slack.changed(lambda: _acked(angel, "app_uninstalled"))
            await angel.served.end()
            assert await angel.store.tokens.listed() == []
            assert await angel.store.tokens.of_person(angel.person()) is None

    async def test_a_revoked_token_is_forgotten_at_once(self, tmp_path: Path) -> None:
        async with many(tmp_path) as angel:
            await angel.connected()
            angel.slack.revoke()
            await angel.slack.changed(lambda: _acked(angel, "tokens_revoked"))
            await angel.served.end()
            assert await angel.store.tokens.of_person(angel.person()) is None
            assert len(await angel.store.tokens.listed()) == 1

    async def test_a_workspace_that_is_not_installed_is_forgotten_quietly(self, tmp_path: Path) -> None:
        async with many(tmp_path) as angel:
            assert await angel.store.forget_workspace(Workspace(None, "T404")) == 0
            await angel.store.tokens.forget_person(Person(Workspace(None, "T404"), "U404"))


def _acked(angel: Many, event: str) -> bool:
    events = angel.slack.snapshot()["events"]
    sent = {each["delivery"] for each in events if each["type"] == "delivery" and event in str(each["payload"])}
    return any(each["type"] == "ack" and each["delivery"] in sent for each in events)
