"""What people and admins chose in the Home tab: a person's tone, and a workspace's rules for Angel."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from cachetools import LRUCache, TTLCache
from pydantic import BaseModel, ValidationError
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.database import Database
from bot.store.installations import CACHE_SECONDS, CACHED
from bot.store.owners import Person, Workspace
from bot.store.terms import PersonsChoices, StoreUnavailable, WorkspaceRules

Chosen = TypeVar("Chosen", bound=BaseModel)

_TABLE = sa.Table(
    "angel_choices",
    sa.MetaData(),
    sa.Column("client_id", sa.String(32), primary_key=True),
    sa.Column("workspace", sa.String(66), primary_key=True),
    sa.Column("person", sa.String(32), primary_key=True),
    sa.Column("chosen", sa.JSON, nullable=False),
)
_THE_WORKSPACE = ""
"""Stands in the column `person` of a workspace's own row."""


class Choices:
    """Every method raises StoreUnavailable where the store does not answer in time."""

    def __init__(self, database: Database, client_id: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._client_id = client_id
        self._found: TTLCache[tuple[str, str], dict[str, Any]] = TTLCache(CACHED, CACHE_SECONDS, timer=now)
        self._last: LRUCache[tuple[str, str], dict[str, Any]] = LRUCache(CACHED)

    async def of_person(self, person: Person) -> PersonsChoices:
        return _read(PersonsChoices, await self._chosen(person.workspace, person.user_id))

    async def of_both(self, person: Person) -> tuple[WorkspaceRules, PersonsChoices]:
        """What holds in the workspace, and what the person chose."""
        choices = await self.of_person(person)
        return await self.of_workspace(person.workspace), choices

    async def of_workspace(self, workspace: Workspace) -> WorkspaceRules:
        return _read(WorkspaceRules, await self._chosen(workspace, _THE_WORKSPACE))

    async def put_person(self, person: Person, choices: PersonsChoices) -> None:
        await self._put(person.workspace, person.user_id, choices.model_dump(mode="json"))

    async def put_workspace(self, workspace: Workspace, rules: WorkspaceRules) -> None:
        await self._put(workspace, _THE_WORKSPACE, rules.model_dump(mode="json"))

    async def forget_workspace(self, workspace: Workspace) -> None:
        """Deletes what everybody there chose."""
        for key in [key for key in self._last if key[0] == _key(workspace)]:
            self._found.pop(key, None)
            self._last.pop(key, None)

        async def forget() -> None:
            async with self._database.engine.begin() as connection:
                await connection.execute(
                    _TABLE.delete().where(_TABLE.c.client_id == self._client_id, _TABLE.c.workspace == _key(workspace))
                )

        await self._database.within(forget())

    async def _chosen(self, workspace: Workspace, person: str) -> dict[str, Any]:
        key = (_key(workspace), person)
        if (found := self._found.get(key)) is not None:
            return found
        try:
            rows = await self._database.within(self._look(key))
        except StoreUnavailable:
            # A rule that held a minute ago holds on while the store is away.
            if key not in self._last:
                raise
            return self._last[key]
        # Whoever asks for one of the two asks for the other: one question brings both.
        for name in (person, _THE_WORKSPACE):
            chosen = rows.get(name)
            self._found[key[0], name] = self._last[key[0], name] = chosen if isinstance(chosen, dict) else {}
        return self._found[key]

    async def _look(self, key: tuple[str, str]) -> dict[str, Any]:
        async with self._database.engine.connect() as connection:
            rows = await connection.execute(
                sa.select(_TABLE.c.person, _TABLE.c.chosen).where(
                    _TABLE.c.client_id == self._client_id,
                    _TABLE.c.workspace == key[0],
                    _TABLE.c.person.in_((key[1], _THE_WORKSPACE)),
                )
            )
            return {row.person: row.chosen for row in rows}

    async def _put(self, workspace: Workspace, person: str, chosen: dict[str, Any]) -> None:
        insert = (sqlite if self._database.url.get_backend_name() == "sqlite" else postgresql).insert(_TABLE)
        row = {"client_id": self._client_id, "workspace": _key(workspace), "person": person, "chosen": chosen}
        statement = insert.values(row).on_conflict_do_update(
            index_elements=["client_id", "workspace", "person"], set_={"chosen": chosen}
        )

        async def put() -> None:
            async with self._database.engine.begin() as connection:
                await connection.execute(statement)

        await self._database.within(put())
        self._found[_key(workspace), person] = self._last[_key(workspace), person] = chosen


def _key(workspace: Workspace) -> str:
    """People choose in a workspace, also where a whole organisation installed Angel."""
    return f"{workspace.enterprise_id or ''}:{workspace.team_id or ''}"


def _read(kind: type[Chosen], chosen: dict[str, Any]) -> Chosen:
    """What can be read of it: a field that a newer version has another meaning for is left at its default."""
    try:
        return kind.model_validate(chosen)
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors()}
        return kind.model_validate({name: value for name, value in chosen.items() if name not in wrong})
