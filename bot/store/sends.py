"""Which answers were sent: each is sent once, whoever presses how often, and whichever worker gets the press."""

import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database
from bot.store.owners import Workspace
from bot.store.terms import SendState

KEPT_DAYS = 2
"""A button on an ephemeral message is gone long before: the message goes with a reload."""


_TABLE = sa.Table(
    "angel_sends",
    sa.MetaData(),
    sa.Column("answer", sa.String(64), primary_key=True),
    sa.Column("client_id", sa.String(32), nullable=False),
    sa.Column("workspace", sa.String(66), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
)


class Sends:
    """The ledger of sends: ids and times only, never what was sent. Every method raises StoreUnavailable."""

    def __init__(self, database: Database, client_id: str) -> None:
        self._database = database
        self._client_id = client_id

    async def begin(self, answer: str, workspace: Workspace) -> SendState | None:
        """None where the answer may be sent now, by the caller alone; else how far an earlier press got."""
        return await self._database.within(self._begin(answer, workspace))

    async def sent(self, answer: str) -> None:
        async def mark() -> None:
            async with self._database.engine.begin() as connection:
                await connection.execute(
                    _TABLE.update().where(_TABLE.c.answer == answer).values(state=SendState.SENT.value)
                )

        await self._database.within(mark())

    async def not_sent(self, answer: str) -> None:
        """Slack refused it: pressing again may send it."""

        async def forget() -> None:
            async with self._database.engine.begin() as connection:
                await connection.execute(_TABLE.delete().where(_TABLE.c.answer == answer))

        await self._database.within(forget())

    async def _begin(self, answer: str, workspace: Workspace) -> SendState | None:
        now = datetime.datetime.now(tz=datetime.UTC).replace(tzinfo=None)
        async with self._database.engine.begin() as connection:
            await connection.execute(_TABLE.delete().where(_TABLE.c.at < now - datetime.timedelta(days=KEPT_DAYS)))
        try:
            async with self._database.engine.begin() as connection:
                await connection.execute(
                    _TABLE.insert(),
                    {
                        "answer": answer,
                        "client_id": self._client_id,
                        "workspace": workspace.key,
                        "state": SendState.SENDING.value,
                        "at": now,
                    },
                )
        except IntegrityError:
            async with self._database.engine.connect() as connection:
                state = await connection.scalar(sa.select(_TABLE.c.state).where(_TABLE.c.answer == answer))
            return SendState(state) if state is not None else SendState.SENDING
        return None
