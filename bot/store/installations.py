"""Who installed Angel and who lets it send as them: their tokens, encrypted, found again within a short while."""

import asyncio
import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from cachetools import TTLCache
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.sqlalchemy_utils import normalize_datetime_for_db
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import AngelError
from bot.store.database import Database
from bot.store.keys import Cipher, EncryptedText
from bot.store.owners import Person, Workspace
from bot.store.terms import SEND_SCOPE

CACHE_SECONDS = 30
"""How long a token that was looked up is used without looking again; a revoked one no longer than that."""
CACHED = 10_000
"""Tokens at most."""
ROTATE_MINUTES = 30
"""A token that expires lives for 12 hours (Slack: "Token rotation"); it is renewed this long before its end."""
_TOKENS = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token")


class NotInstalled(AngelError):
    """Angel is not installed there, or no more."""


@dataclass(frozen=True)
class Installed:
    """A workspace, or a whole organisation, as `angel installs` lists it."""

    workspace: Workspace
    name: str
    connected: int
    """How many people let Angel send as them."""


class EncryptedInstallationStore(AsyncSQLAlchemyInstallationStore):
    """The SDK's store, whose tokens are encrypted columns, and which keeps one row for each person."""

    def __init__(self, client_id: str, database: Database, cipher: Cipher) -> None:
        super().__init__(client_id, database.engine)
        for table in (self.installations, self.bots):
            for name in _TOKENS:
                if name in table.c:
                    table.c[name].type = EncryptedText(cipher)

    async def async_save(self, installation: Installation) -> None:
        """The SDK adds a row each time, and what the row before it had is lost sight of.

        An admin who has connected and installs again stays connected; a person who connects again leaves no old token.
        """
        rows = self.installations
        async with self.engine.begin() as connection:
            mine = self.of(rows, installation.enterprise_id, installation.team_id) & (
                rows.c.user_id == installation.user_id
            )
            before = (await connection.execute(rows.select().where(mine).order_by(rows.c.id.desc()))).mappings().first()
            if before is not None and installation.user_token is None and before["user_token"] is not None:
                installation.user_token = before["user_token"]
                installation.user_scopes = (before["user_scopes"] or "").split(",")
                installation.user_refresh_token = before["user_refresh_token"]
                expires = before["user_token_expires_at"]
                installation.user_token_expires_at = None if expires is None else int(_seconds(expires))
            await connection.execute(rows.delete().where(mine))
            values = installation.to_dict() | {"client_id": self.client_id}
            await connection.execute(rows.insert(), _for_database(values))
            if installation.bot_token is not None:
                await self._put_bot(connection, installation.to_bot())

    async def async_save_bot(self, bot: Bot) -> None:
        async with self.engine.begin() as connection:
            await self._put_bot(connection, bot)

    async def _put_bot(self, connection: AsyncConnection, bot: Bot) -> None:
        await connection.execute(self.bots.delete().where(self.of(self.bots, bot.enterprise_id, bot.team_id)))
        await connection.execute(self.bots.insert(), _for_database(bot.to_dict() | {"client_id": self.client_id}))

    def of(self, table: Table, enterprise_id: str | None, team_id: str | None) -> sa.ColumnElement[bool]:
        return sa.and_(
            table.c.client_id == self.client_id, table.c.enterprise_id == enterprise_id, table.c.team_id == team_id
        )


class Tokens:
    """The tokens of workspaces and people, looked up, renewed before they expire, and forgotten.

    Every method raises StoreUnavailable where the store does not answer in time.
    """

    def __init__(
        self,
        store: EncryptedInstallationStore,
        database: Database,
        *,
        client_secret: str,
        client: AsyncWebClient,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self._database = database
        self._rotator = AsyncTokenRotator(client_id=store.client_id, client_secret=client_secret, client=client)
        self._bots: TTLCache[Workspace, str] = TTLCache(CACHED, CACHE_SECONDS, timer=now)
        self._people: TTLCache[Person, str | None] = TTLCache(CACHED, CACHE_SECONDS, timer=now)
        self._connected: TTLCache[Person, bool] = TTLCache(CACHED, CACHE_SECONDS, timer=now)
        self._renewing: dict[Workspace, asyncio.Lock] = {}

    async def of_bot(self, workspace: Workspace) -> str:
        """The bot's token there. Raises NotInstalled."""
        if (token := self._bots.get(workspace)) is not None:
            return token
        bot = await self._database.within(
            self.store.async_find_bot(
                enterprise_id=workspace.enterprise_id,
                team_id=workspace.team_id,
                is_enterprise_install=workspace.whole_organisation,
            )
        )
        if bot is None or bot.bot_token is None:
            raise NotInstalled("Angel is not installed in this workspace.")
        bot = await self._renewed_bot(workspace, bot)
        self._bots[workspace] = bot.bot_token
        return bot.bot_token

    async def of_person(self, person: Person) -> str | None:
        """The token to send as that person, or None where they have not connected."""
        if person in self._people:
            return self._people[person]
        installation = await self._installation(person)
        if installation is None or not installation.user_token or SEND_SCOPE not in (installation.user_scopes or ()):
            token = None
        else:
            token = (await self._renewed_person(person, installation)).user_token
        self._people[person] = token
        return token

    def look_again(self, workspace: Workspace) -> None:
        """What was looked up of the workspace and its people no longer counts."""
        for known in [one for one in self._bots if one.key == workspace.key]:
            self._bots.pop(known, None)
        for people in (self._people, self._connected):
            for person in [one for one in people if one.workspace.key == workspace.key]:
                people.pop(person)

    async def connected(self, person: Person) -> bool:
        """Whether the person lets Angel send as them: quicker to know than the token."""
        if (known := self._connected.get(person)) is not None:
            return known
        rows = self.store.installations
        statement = sa.select(rows.c.user_scopes).where(
            self.store.of(rows, person.workspace.enterprise_id, person.workspace.row_team_id),
            rows.c.user_id == person.user_id,
            rows.c.user_token.is_not(None),
        )

        async def look() -> bool:
            async with self.store.engine.connect() as connection:
                return SEND_SCOPE in (await connection.scalar(statement) or "").split(",")

        self._connected[person] = await self._database.within(look())
        return self._connected[person]

    async def forget_person(self, person: Person) -> None:
        """Deletes the person's token; what the workspace has stays."""
        rows = self.store.installations
        theirs = sa.and_(
            self.store.of(rows, person.workspace.enterprise_id, person.workspace.row_team_id),
            rows.c.user_id == person.user_id,
        )
        self._people.pop(person, None)
        self._connected.pop(person, None)

        async def forget() -> None:
            async with self.store.engine.begin() as connection:
                await connection.execute(rows.delete().where(theirs, rows.c.bot_token.is_(None)))
                # Whoever installed Angel stays the one who did.
                nothing = dict.fromkeys(("user_token", "user_scopes", "user_refresh_token", "user_token_expires_at"))
                await connection.execute(rows.update().where(theirs).values(nothing))

        await self._database.within(forget())

    async def forget_bot(self, workspace: Workspace) -> None:
        """Deletes the bot's token there; people's own stay."""
        self._bots.pop(workspace, None)
        await self._database.within(
            self.store.async_delete_bot(enterprise_id=workspace.enterprise_id, team_id=workspace.row_team_id)
        )

    async def forget_workspace(self, workspace: Workspace) -> int:
        """Deletes every token of the workspace, people's too. The number of rows that are gone."""
        self.look_again(workspace)

        async def forget() -> int:
            gone = 0
            async with self.store.engine.begin() as connection:
                for table in (self.store.bots, self.store.installations):
                    of_it = self.store.of(table, workspace.enterprise_id, workspace.row_team_id)
                    gone += (await connection.execute(table.delete().where(of_it))).rowcount
            return gone

        return await self._database.within(forget())

    async def installed_by(self, person: Person) -> bool:
        """Whether this person brought the bot's token: who installed Angel says what holds in the workspace."""
        rows = self.store.installations
        statement = sa.select(rows.c.id).where(
            self.store.of(rows, person.workspace.enterprise_id, person.workspace.row_team_id),
            rows.c.user_id == person.user_id,
            rows.c.bot_token.is_not(None),
        )

        async def look() -> bool:
            async with self.store.engine.connect() as connection:
                return await connection.scalar(statement) is not None

        return await self._database.within(look())

    async def listed(self) -> list[Installed]:
        """Every workspace that has Angel, by name."""
        bots, rows = self.store.bots, self.store.installations

        async def look() -> list[Installed]:
            async with self.store.engine.connect() as connection:
                found = (
                    (
                        await connection.execute(
                            bots.select().where(bots.c.client_id == self.store.client_id).order_by(bots.c.team_name)
                        )
                    )
                    .mappings()
                    .all()
                )
                listed = []
                for row in found:
                    workspace = Workspace(row["enterprise_id"], row["team_id"], bool(row["is_enterprise_install"]))
                    connected = await connection.scalar(
                        sa.select(sa.func.count()).where(
                            self.store.of(rows, row["enterprise_id"], row["team_id"]), rows.c.user_token.is_not(None)
                        )
                    )
                    name = row["team_name"] or row["enterprise_name"] or row["team_id"] or row["enterprise_id"]
                    listed.append(Installed(workspace, str(name), int(connected or 0)))
                return listed

        return await self._database.within(look())

    async def _installation(self, person: Person) -> Installation | None:
        return await self._database.within(
            self.store.async_find_installation(
                enterprise_id=person.workspace.enterprise_id,
                team_id=person.workspace.team_id,
                user_id=person.user_id,
                is_enterprise_install=person.workspace.whole_organisation,
            )
        )

    async def _renewed_bot(self, workspace: Workspace, bot: Bot) -> Bot:
        """Two workers may renew the same token; Slack takes a refresh token once, and the second finds the first's."""
        async with self._renewing.setdefault(workspace, asyncio.Lock()):
            try:
                renewed = await self._rotator.perform_bot_token_rotation(
                    bot=bot, minutes_before_expiration=ROTATE_MINUTES
                )
            except SlackTokenRotationError:
                found = await self._database.within(
                    self.store.async_find_bot(
                        enterprise_id=workspace.enterprise_id,
                        team_id=workspace.team_id,
                        is_enterprise_install=workspace.whole_organisation,
                    )
                )
                return found if found is not None and found.bot_token else bot
            if renewed is None:
                return bot
            await self._database.within(self.store.async_save_bot(renewed))
            return renewed

    async def _renewed_person(self, person: Person, installation: Installation) -> Installation:
        async with self._renewing.setdefault(person.workspace, asyncio.Lock()):
            try:
                renewed = await self._rotator.perform_user_token_rotation(
                    installation=installation, minutes_before_expiration=ROTATE_MINUTES
                )
            except SlackTokenRotationError:
                return await self._installation(person) or installation
            if renewed is None:
                return installation
            await self._database.within(self.store.async_save(renewed))
            return renewed


def _seconds(moment: Any) -> float:
    """Of a database's time without a zone, which is UTC."""
    return float(moment.replace(tzinfo=datetime.UTC).timestamp())


def _for_database(values: dict[str, Any]) -> dict[str, Any]:
    """Times as the database takes them: UTC, without a zone."""
    times = ("installed_at", "bot_token_expires_at", "user_token_expires_at")
    return values | {name: normalize_datetime_for_db(values[name]) for name in times if name in values}
