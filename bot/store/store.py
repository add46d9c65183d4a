"""The store: everything that is kept, behind one database and one set of keys."""

import asyncio

import sqlalchemy as sa
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import IntegrityError

from bot.errors import SettingsError
from bot.store.choices import Choices
from bot.store.database import START_SECONDS, Database
from bot.store.installations import EncryptedInstallationStore, Tokens
from bot.store.keys import Cipher
from bot.store.owners import Person, Workspace
from bot.store.sends import Sends
from bot.store.states import OAuthStates
from bot.store.terms import About, PersonsChoices, StoreUnavailable, WorkspaceRules, WrongKey

_KEY_CHECK = sa.Table(
    "angel_key_check",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("encrypted", sa.Text, nullable=False),
)
_CHECKED = "the keys fit"


class Store:
    """What is kept, by subject. Nothing is connected to before `open`."""

    def __init__(self, url: str, keys: str, *, client_id: str, client_secret: str, slack_url: str) -> None:
        """`keys` as in ANGEL_SECRET_KEYS; tokens are renewed at `slack_url`. Raises SettingsError."""
        client = AsyncWebClient(base_url=slack_url, retry_handlers=[])
        self.cipher = Cipher(keys)
        self.database = Database(url)
        self.states = OAuthStates(self.database)
        self.installations = EncryptedInstallationStore(client_id, self.database, self.cipher)
        self.tokens = Tokens(self.installations, self.database, client_secret=client_secret, client=client)
        self.choices = Choices(self.database, client_id)
        self.sends = Sends(self.database, client_id)

    async def open(self) -> None:
        """Brings the tables up to date and tries the keys. Raises SettingsError or StoreUnavailable."""
        await self.database.migrate()
        await self.database.within(self._try_keys(), seconds=START_SECONDS)

    async def keep(self, installation: Installation) -> None:
        """Raises StoreUnavailable."""
        await self.database.within(self.installations.async_save(installation))
        self.tokens.look_again(
            Workspace(installation.enterprise_id, installation.team_id, bool(installation.is_enterprise_install))
        )

    async def about(self, person: Person) -> About:
        """What is known of the person, looked up at once. Where the store is away: what was known, or nothing."""
        chosen, connected = await asyncio.gather(
            self.choices.of_both(person), self.tokens.connected(person), return_exceptions=True
        )
        for found in (chosen, connected):
            if isinstance(found, BaseException) and not isinstance(found, StoreUnavailable):
                raise found
        rules, choices = chosen if isinstance(chosen, tuple) else (WorkspaceRules(), PersonsChoices())
        return About(rules, choices, connected is True)

    async def forget_workspace(self, workspace: Workspace) -> int:
        """Deletes all that is kept of a workspace; the number of rows of tokens. Raises StoreUnavailable."""
        gone = await self.tokens.forget_workspace(workspace)
        await self.choices.forget_workspace(workspace)
        return gone

    async def renew_keys(self) -> int:
        """Encrypts every token with the first key; the number of tokens. Raises WrongKey, having changed nothing."""
        renewed = 0
        async with self.database.engine.begin() as connection:
            for table in (self.installations.installations, self.installations.bots):
                columns = [column for column in table.c if column.name.endswith("_token")]
                # Read and written as they lie, not through the columns that decrypt.
                names = ", ".join(column.name for column in columns)
                rows = await connection.execute(sa.text(f"SELECT id, {names} FROM {table.name}"))  # noqa: S608
                for row in rows.mappings().all():
                    values = {name: self.cipher.renewed(row[name]) for name in row if name != "id" and row[name]}
                    if not values:
                        continue
                    changes = ", ".join(f"{name} = :{name}" for name in values)
                    statement = sa.text(f"UPDATE {table.name} SET {changes} WHERE id = :id")  # noqa: S608
                    await connection.execute(statement, values | {"id": row["id"]})
                    renewed += len(values)
            await connection.execute(_KEY_CHECK.delete())
            await connection.execute(_KEY_CHECK.insert(), {"id": 1, "encrypted": self.cipher.encrypted(_CHECKED)})
        return renewed

    async def close(self) -> None:
        await self.database.close()

    async def _try_keys(self) -> None:
        async with self.database.engine.connect() as connection:
            encrypted = await connection.scalar(sa.select(_KEY_CHECK.c.encrypted))
        if encrypted is None:
            try:
                async with self.database.engine.begin() as connection:
                    row = {"id": 1, "encrypted": self.cipher.encrypted(_CHECKED)}
                    await connection.execute(_KEY_CHECK.insert(), row)
            except IntegrityError:
                return await self._try_keys()  # another process came first
            return None
        try:
            self.cipher.decrypted(encrypted)
        except WrongKey as error:
            raise SettingsError(
                "ANGEL_SECRET_KEYS has none of the keys that the tokens in the store were encrypted with. Put the old "
                "key behind the new one, separated by a comma, and run `angel keys rotate`."
            ) from error
        return None
