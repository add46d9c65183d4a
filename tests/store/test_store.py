"""The store on SQLite and on a real PostgreSQL: what is kept is found again, and nothing else is there."""

import asyncio
import logging
import stat
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from slack_sdk.oauth.installation_store import Installation

from bot.errors import AngelError, SettingsError
from bot.store.database import Database, newest_revision, sqlite_url
from bot.store.installations import NotInstalled
from bot.store.keys import Cipher, new_key
from bot.store.owners import Person, Workspace, person_of
from bot.store.store import Store
from bot.store.terms import PersonsChoices, SendState, StoreUnavailable, WorkspaceRules, WrongKey
from bot.verdict import Tone
from tests import postgresql
from tests.store.conftest import KEY, TokenEndpoint

Opened = Callable[..., Awaitable[Store]]

ACME = Workspace(None, "T1")
OTHER = Workspace(None, "T2")
ORGANISATION = Workspace("E1", "T3", whole_organisation=True)
MARIA = Person(ACME, "U1")


def installation(workspace: Workspace = ACME, user_id: str = "U1", **more: Any) -> Installation:
    return Installation(
        app_id="A1",
        enterprise_id=workspace.enterprise_id,
        team_id=workspace.row_team_id,
        team_name=f"The {workspace.team_id}",
        user_id=user_id,
        is_enterprise_install=workspace.whole_organisation,
        **({"bot_token": "xoxb-secret-1", "bot_id": "B1", "bot_scopes": ["commands"]} | more),
    )


def connection_of(user_id: str = "U1", token: str = "xoxp-secret-1", **more: Any) -> Installation:
    """What `oauth.v2.access` brings for a person who lets Angel send: no bot, one user token."""
    return installation(
        user_id=user_id,
        bot_token=None,
        bot_id=None,
        bot_scopes=None,
        user_token=token,
        user_scopes=["chat:write"],
        **more,
    )


async def everything(store: Store) -> str:
    """Every cell of every table."""
    async with store.database.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        tables = [(await connection.execute(sa.text(f"SELECT * FROM {name}"))).all() for name in names]  # noqa: S608
        return "\n".join(str(row) for rows in tables for row in rows)


class TestTokens:
    async def test_a_workspace_finds_its_own_token(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        await store.installations.async_save(installation(OTHER, bot_token="xoxb-of-another"))
        await store.installations.async_save(installation(ORGANISATION, bot_token="xoxb-of-all"))
        assert await store.tokens.of_bot(ACME) == "xoxb-secret-1"
        assert await store.tokens.of_bot(OTHER) == "xoxb-of-another"
        # In each workspace of an organisation the one installation counts.
        assert await store.tokens.of_bot(Workspace("E1", "T99", whole_organisation=True)) == "xoxb-of-all"
        with pytest.raises(NotInstalled):
            await store.tokens.of_bot(Workspace(None, "T404"))

    async def test_another_app_in_the_same_database_finds_nothing(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        with pytest.raises(NotInstalled):
            await (await opened(client_id="999.999")).tokens.of_bot(ACME)

    async def test_tokens_lie_encrypted(self, opened: Opened, store_url: str) -> None:
        store = await opened()
        await store.installations.async_save(
            installation(user_token="xoxp-secret-2", user_scopes=["chat:write"], user_refresh_token="xoxe-secret-3")
        )
        found = await everything(store)
        assert "T1" in found
        assert "secret" not in found
        if store_url.startswith("sqlite"):
            await store.close()
            parts = list(Path(store_url.removeprefix("sqlite:///")).parent.iterdir())
            assert parts
            assert not any(b"secret" in part.read_bytes() for part in parts)
            assert [stat.S_IMODE(part.stat().st_mode) for part in parts] == [0o600] * len(parts)

    async def test_who_has_connected_has_a_token_and_nobody_else(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation(user_id="U9"))
        await store.installations.async_save(connection_of())
        assert await store.tokens.of_person(MARIA) == "xoxp-secret-1"
        assert await store.tokens.of_person(Person(ACME, "U9")) is None
        assert await store.tokens.of_person(Person(OTHER, "U1")) is None
        # A person's row has no bot in it, and the workspace keeps its own.
        assert await store.tokens.of_bot(ACME) == "xoxb-secret-1"

    async def test_a_token_without_the_right_to_send_is_none(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation(user_token="xoxp-other", user_scopes=["identity.basic"]))
        assert await store.tokens.of_person(MARIA) is None

    async def test_an_admin_who_installs_again_stays_connected(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        await store.installations.async_save(connection_of())
        await store.installations.async_save(installation(bot_token="xoxb-newer"))
        assert await store.tokens.of_person(MARIA) == "xoxp-secret-1"
        assert await store.tokens.of_bot(ACME) == "xoxb-newer"

    async def test_connecting_again_leaves_no_old_token(self, opened: Opened) -> None:
        store = await opened()
        for number in range(3):
            await store.installations.async_save(connection_of(token=f"xoxp-{number}"))
        async with store.database.engine.connect() as connection:
            rows = (await connection.execute(store.installations.installations.select())).mappings().all()
        assert [row["user_token"] for row in rows] == ["xoxp-2"]

    async def test_two_people_who_connect_in_the_same_instant_keep_their_own(self, opened: Opened) -> None:
        store = await opened()
        at = time.time()
        await asyncio.gather(
            *(
                store.installations.async_save(connection_of(f"U{number}", f"xoxp-of-{number}", installed_at=at))
                for number in range(8)
            )
        )
        assert [await store.tokens.of_person(Person(ACME, f"U{number}")) for number in range(8)] == [
            f"xoxp-of-{number}" for number in range(8)
        ]

    async def test_what_is_forgotten_is_gone_at_once(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        await store.installations.async_save(connection_of())
        await store.installations.async_save(connection_of("U2", "xoxp-of-2"))
        await store.installations.async_save(installation(OTHER))
        assert await store.tokens.of_person(MARIA)
        await store.tokens.forget_person(MARIA)
        assert await store.tokens.of_person(MARIA) is None
        assert await store.tokens.of_person(Person(ACME, "U2")) == "xoxp-of-2"
        assert await store.tokens.of_bot(ACME)
        await store.choices.put_person(MARIA, PersonsChoices(tone=Tone.WARM))
        await store.forget_workspace(ACME)
        with pytest.raises(NotInstalled):
            await store.tokens.of_bot(ACME)
        assert await store.tokens.of_person(Person(ACME, "U2")) is None
        assert await store.choices.of_person(MARIA) == PersonsChoices()
        assert "'T1'" not in await everything(store)
        assert await store.tokens.of_bot(OTHER)

    async def test_a_token_that_another_worker_forgot_is_used_for_30_seconds_at_most(self, opened: Opened) -> None:
        clock = [1_000.0]
        store, other = await opened(), await opened()
        store.tokens = type(store.tokens)(
            store.installations,
            store.database,
            client_secret="shh",
            client=store.tokens._rotator.client,
            now=lambda: clock[0],
        )
        await store.installations.async_save(connection_of())
        assert await store.tokens.of_person(MARIA)
        await other.tokens.forget_person(MARIA)
        clock[0] += 29
        assert await store.tokens.of_person(MARIA)
        clock[0] += 2
        assert await store.tokens.of_person(MARIA) is None

    async def test_a_token_about_to_expire_is_renewed_and_kept(
        self, opened: Opened, token_endpoint: TokenEndpoint
    ) -> None:
        store = await opened()
        soon = int(time.time()) + 60
        await store.installations.async_save(installation(bot_refresh_token="xoxe-bot-0", bot_token_expires_at=soon))
        await store.installations.async_save(
            connection_of(user_refresh_token="xoxe-user-0", user_token_expires_at=soon)
        )
        assert (await store.tokens.of_bot(ACME)).startswith("xoxe.xoxb-renewed")
        assert str(await store.tokens.of_person(MARIA)).startswith("xoxe.xoxp-renewed")
        # Another process finds what this one has renewed, and has nothing to renew.
        other = await opened()
        assert await other.tokens.of_bot(ACME) == await store.tokens.of_bot(ACME)
        assert await other.tokens.of_person(MARIA) == await store.tokens.of_person(MARIA)
        assert len(token_endpoint.taken) == 2

    async def test_workers_that_renew_at_the_same_time_all_have_a_token(
        self, opened: Opened, token_endpoint: TokenEndpoint
    ) -> None:
        workers = [await opened() for _ in range(3)]
        await workers[0].installations.async_save(
            installation(bot_refresh_token="xoxe-bot-0", bot_token_expires_at=int(time.time()) + 60)
        )
        tokens = await asyncio.gather(*(worker.tokens.of_bot(ACME) for worker in workers for _ in range(4)))
        # A worker that came second has the renewed one, or for its cache's time the one that still lives a minute.
        assert all(token.startswith(("xoxe.xoxb-renewed", "xoxb-secret")) for token in tokens)
        assert token_endpoint.taken.count("xoxe-bot-0") == 1
        assert (await (await opened()).tokens.of_bot(ACME)).startswith("xoxe.xoxb-renewed")

    async def test_installs_are_listed_by_name(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation(OTHER))
        await store.installations.async_save(installation())
        await store.installations.async_save(connection_of())
        listed = await store.tokens.listed()
        assert [(one.name, one.connected) for one in listed] == [("The T1", 1), ("The T2", 0)]
        assert listed[0].workspace == ACME


class TestKeys:
    async def test_a_new_key_reads_what_the_old_one_wrote_and_rotating_needs_the_old_one_no_more(
        self, opened: Opened
    ) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        newer = new_key()
        with pytest.raises(SettingsError, match="angel keys rotate"):
            await opened(keys=newer)
        both = await opened(keys=f"{newer}, {KEY}")
        assert await both.tokens.of_bot(ACME) == "xoxb-secret-1"
        assert await both.renew_keys() == 2  # of the installation's row and of the bot's
        assert await (await opened(keys=newer)).tokens.of_bot(ACME) == "xoxb-secret-1"
        with pytest.raises(SettingsError):
            await opened(keys=KEY)

    async def test_rotating_without_the_old_key_changes_nothing(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        before = await everything(store)
        store.cipher = Cipher(new_key())
        with pytest.raises(WrongKey):
            await store.renew_keys()
        assert await everything(store) == before

    @pytest.mark.parametrize("keys", ["", " , ", "no key", "short"])
    def test_what_is_no_key_is_said_without_being_shown(self, keys: str) -> None:
        with pytest.raises(SettingsError, match="ANGEL_SECRET_KEYS") as raised:
            Cipher(keys)
        assert "short" not in str(raised.value)
        assert "no key" not in str(raised.value)


class TestStates:
    async def test_a_state_is_used_once(self, opened: Opened) -> None:
        store, other = await opened(), await opened()
        state = await store.states.async_issue()
        used = await asyncio.gather(*(one.states.async_consume(state) for one in (store, other) for _ in range(5)))
        assert used.count(True) == 1
        assert not await store.states.async_consume("made up")

    async def test_a_state_nobody_came_back_for_is_forgotten(self, opened: Opened) -> None:
        store = await opened()
        store.states.expiration_seconds = -1
        old = await store.states.async_issue()
        assert not await store.states.async_consume(old)
        await store.states.async_issue()
        assert old not in await everything(store)


class TestChoices:
    async def test_choices_are_kept_and_changed(self, opened: Opened) -> None:
        store = await opened()
        assert await store.choices.of_person(MARIA) == PersonsChoices()
        for tone in (Tone.BRIEF, Tone.WARM):
            await store.choices.put_person(MARIA, PersonsChoices(tone=tone, hides_connect=True))
        rules = WorkspaceRules(denied_channels=("C9",), house_style="We say please.")
        await store.choices.put_workspace(ACME, rules)
        other = await opened()
        assert await other.choices.of_person(MARIA) == PersonsChoices(tone=Tone.WARM, hides_connect=True)
        assert await other.choices.of_workspace(ACME) == rules
        assert await other.choices.of_workspace(OTHER) == WorkspaceRules()

    async def test_what_a_newer_version_wrote_is_read_as_far_as_it_goes(self, opened: Opened) -> None:
        store = await opened()
        await store.choices._put(ACME, "U1", {"tone": "shakespearean", "hides_connect": True, "colour": "red"})
        other = await opened()
        assert await other.choices.of_person(MARIA) == PersonsChoices(hides_connect=True)

    def test_rules_admit_as_they_say(self) -> None:
        cases = [
            (WorkspaceRules(), "C1", "U1", True),
            (WorkspaceRules(denied_channels=("C1",)), "C1", "U1", False),
            (WorkspaceRules(denied_channels=("C1",)), "C2", "U1", True),
            (WorkspaceRules(allowed_channels=("C1",)), "C1", "U1", True),
            (WorkspaceRules(allowed_channels=("C1",)), "C2", "U1", False),
            (WorkspaceRules(allowed_channels=("C1",)), None, "U1", True),
            (WorkspaceRules(allowed_channels=("C1",), denied_channels=("C1",)), "C1", "U1", False),
            (WorkspaceRules(denied_people=("U1",)), "C1", "U1", False),
            (WorkspaceRules(denied_people=("U1",)), None, "U1", False),
            (WorkspaceRules(allowed_people=("U2",)), "C1", "U1", False),
            (WorkspaceRules(allowed_people=("U1",)), "C1", "U1", True),
        ]
        wrong = [case for case in cases if case[0].admits(channel_id=case[1], user_id=case[2]) is not case[3]]
        assert wrong == []


class TestSends:
    async def test_an_answer_is_sent_by_one_of_many_presses(self, opened: Opened) -> None:
        workers = [await opened() for _ in range(2)]
        begun = await asyncio.gather(*(worker.sends.begin("answer-1", ACME) for worker in workers for _ in range(5)))
        assert begun.count(None) == 1
        assert set(begun) == {None, SendState.SENDING}
        await workers[0].sends.sent("answer-1")
        assert await workers[1].sends.begin("answer-1", ACME) is SendState.SENT
        assert await workers[1].sends.begin("answer-2", ACME) is None

    async def test_what_slack_refused_may_be_pressed_again(self, opened: Opened) -> None:
        store = await opened()
        assert await store.sends.begin("answer-1", ACME) is None
        await store.sends.not_sent("answer-1")
        assert await store.sends.begin("answer-1", ACME) is None


class TestDatabase:
    async def test_processes_that_start_together_migrate_once(self, opened: Opened) -> None:
        stores = await asyncio.gather(*(opened() for _ in range(4)))
        async with stores[0].database.engine.connect() as connection:
            versions = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).all()
        assert [tuple(row) for row in versions] == [(newest_revision(),)]

    async def test_opening_again_loses_no_row(self, opened: Opened) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        before = await everything(store)
        assert await everything(await opened()) == before

    async def test_a_store_that_a_newer_version_wrote_is_left_alone(self, opened: Opened) -> None:
        store = await opened()
        async with store.database.engine.begin() as connection:
            await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(SettingsError, match="newer version"):
            await opened()

    @pytest.mark.parametrize(
        "url",
        [
            "nonsense",
            "mysql://host/db",
            "postgresql://nobody:hunter2@127.0.0.1:1/none",
            "sqlite:////proc/none/angel.db",
        ],
    )
    async def test_a_database_that_can_not_be_used_is_one_line_without_its_password(
        self, opened: Opened, url: str
    ) -> None:
        with pytest.raises(AngelError, match="DATABASE_URL") as raised:
            await opened(url)
        assert "hunter2" not in str(raised.value)
        assert "\n" not in str(raised.value)

    async def test_herokus_address_is_understood(self) -> None:
        database = Database("postgres://u:hunter2@db.example:5432/x?sslmode=require")
        assert database.url.drivername == "postgresql+psycopg"
        assert database.url.query["sslmode"] == "require"
        assert "hunter2" not in database.name

    async def test_a_store_that_goes_is_said_once_and_is_used_again_when_it_is_back(
        self, tmp_path: Path, opened: Opened, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = await opened(sqlite_url(tmp_path / "gone.db"))
        await store.installations.async_save(installation())
        caplog.set_level(logging.INFO)
        async with store.database.engine.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE slack_bots RENAME TO hidden"))
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await store.tokens.of_bot(ACME)
        async with store.database.engine.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE hidden RENAME TO slack_bots"))
        assert await store.tokens.of_bot(ACME) == "xoxb-secret-1"
        ours = [record.getMessage() for record in caplog.records if record.name == "bot.store.database"]
        assert len(ours) == 2
        assert "unavailable" in ours[0]
        assert "back" in ours[1]


@pytest.mark.xdist_group("postgresql")
@pytest.mark.heavy
class TestPostgreSQLInTrouble:
    """A server of its own each, because it is stopped."""

    @pytest.fixture
    def server(self) -> Iterator[postgresql.Server]:
        if postgresql.programs() is None:
            pytest.skip(postgresql.MISSING)
        with postgresql.running() as server:
            yield server

    @pytest.fixture
    def store_url(self, server: postgresql.Server) -> str:
        return server.url

    async def test_a_server_that_hangs_is_given_up_in_time_and_used_again(
        self, server: postgresql.Server, opened: Opened
    ) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        server.hang()
        try:
            with pytest.raises(StoreUnavailable):
                await store.tokens.of_bot(ACME)
        finally:
            server.go_on()
        assert await _in_the_end(store) == "xoxb-secret-1"

    async def test_a_server_that_is_started_again_is_used_again(
        self, server: postgresql.Server, opened: Opened
    ) -> None:
        store = await opened()
        await store.installations.async_save(installation())
        server.stop()
        with pytest.raises(StoreUnavailable):
            await store.tokens.of_bot(ACME)
        server.start()
        assert await _in_the_end(store) == "xoxb-secret-1"


async def _in_the_end(store: Store) -> str:
    """Connections that broke are replaced one after the other."""
    for _ in range(20):
        try:
            return await store.tokens.of_bot(ACME)
        except StoreUnavailable:
            continue
    return await store.tokens.of_bot(ACME)


class TestOwners:
    def test_a_person_is_found_in_every_kind_of_payload(self) -> None:
        acme = Person(Workspace(None, "T1"), "U1")
        grid = Person(Workspace("E1", "T1", whole_organisation=True), "U1")
        cases: list[tuple[dict[str, Any], Person]] = [
            ({"team_id": "T1", "user_id": "U1", "is_enterprise_install": "false"}, acme),
            ({"team_id": "T1", "user_id": "U1", "enterprise_id": "E1", "is_enterprise_install": "true"}, grid),
            ({"team": {"id": "T1"}, "user": {"id": "U1"}, "is_enterprise_install": False, "enterprise": None}, acme),
            (
                {"team": {"id": "T1"}, "user": {"id": "U1"}, "enterprise": {"id": "E1"}, "is_enterprise_install": True},
                grid,
            ),
            ({"team_id": "T1", "event": {"user": "U1"}, "authorizations": [{"is_enterprise_install": False}]}, acme),
            (
                {
                    "team_id": "T1",
                    "enterprise_id": "E1",
                    "event": {"user": "U1"},
                    "authorizations": [{"enterprise_id": "E1", "team_id": None, "is_enterprise_install": True}],
                },
                grid,
            ),
        ]
        wrong = [(body, found) for body, expected in cases if (found := person_of(body)) != expected]
        assert wrong == []
