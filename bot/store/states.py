"""The states of installations under way: what comes back from Slack must have been started here, a short while ago."""

import datetime

from slack_sdk.oauth.sqlalchemy_utils import normalize_datetime_for_db
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore

from bot.store.database import Database

STATE_SECONDS = 600
"""From pressing "install" until Slack sends the person back."""


class OAuthStates(AsyncSQLAlchemyOAuthStateStore):
    """The SDK's store, except that it forgets states nobody came back for, and that a store which fails says so.

    The SDK's takes a failing database for an unknown state, and two requests at once may both use one state.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(STATE_SECONDS, database.engine)
        self._database = database

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        """Raises StoreUnavailable."""
        return await self._database.within(self._issue())

    async def async_consume(self, state: str) -> bool:
        """Whether it was issued here, not long ago, and not used before. Raises StoreUnavailable.

        What stands behind a full stop is not ours: whoever starts a flow may let something of theirs come back with it.
        """
        return await self._database.within(self._consume(state.partition(".")[0]))

    async def _issue(self) -> str:
        rows = self.oauth_states
        async with self.engine.begin() as connection:
            await connection.execute(rows.delete().where(rows.c.expire_at <= _now()))
        return await super().async_issue()

    async def _consume(self, state: str) -> bool:
        rows = self.oauth_states
        async with self.engine.begin() as connection:
            used = await connection.execute(rows.delete().where(rows.c.state == state, rows.c.expire_at > _now()))
        return used.rowcount == 1


def _now() -> datetime.datetime | None:
    return normalize_datetime_for_db(datetime.datetime.now(tz=datetime.UTC))
