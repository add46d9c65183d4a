"""The database behind the store: an SQLite file, or PostgreSQL where several processes share it."""

import asyncio
import logging
import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import SettingsError
from bot.store.terms import StoreUnavailable

T = TypeVar("T")

logger = logging.getLogger(__name__)

STORE_SECONDS = 2.0
"""How long one use of the store may take. A `trigger_id` lives 3 s, and Slack has to be asked after the store."""
START_SECONDS = 20.0
"""How long the first connection and the migrations may take."""
MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATING = 7_261_845_302
"""The number of PostgreSQL's lock while one process migrates: any number, so long as it stays the same."""


class Database:
    """An engine, and the bound on every use of it."""

    def __init__(self, url: str) -> None:
        """Connects to nothing yet. Raises SettingsError where the address is of no database we can use."""
        self.url = database_url(url)
        self.engine = _engine(self.url)
        self._down = False
        self._late: set[asyncio.Future[Any]] = set()

    @property
    def name(self) -> str:
        """Where it is, without its password."""
        return self.url.render_as_string(hide_password=True)

    async def migrate(self) -> None:
        """Brings the tables to what this version of Angel needs. Several processes may do so at the same time.

        Raises StoreUnavailable where the database can't be reached, and SettingsError where it can't be used or was
        written by a newer Angel.
        """
        try:
            async with asyncio.timeout(START_SECONDS), self.engine.begin() as connection:
                await connection.run_sync(_upgrade)
        except CommandError as error:
            raise SettingsError(
                f"The store at {self.name} was written by a newer version of Angel. Install that version here, too."
            ) from error
        except (OperationalError, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"The store at {self.name} can't be reached ({_kind(error)}). Check DATABASE_URL."
            ) from error
        except SQLAlchemyError as error:
            raise SettingsError(
                f"The store at {self.name} can't be used ({_kind(error)}). Check DATABASE_URL."
            ) from error
        _for_its_owner_only(self.url)

    async def within(self, use: Awaitable[T], *, seconds: float = STORE_SECONDS) -> T:
        """What `use` brings, in time. Raises StoreUnavailable where it does not; the log says so once.

        A use that is late is cancelled but not waited for: a driver whose server hangs takes seconds to give up.
        """
        task = asyncio.ensure_future(use)
        try:
            done, _ = await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            self._late.add(task)
            task.add_done_callback(self._forget)
            raise self._unavailable(TimeoutError())
        try:
            found = task.result()
        except IntegrityError:
            raise  # what was to be written is wrong; the store is there
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise self._unavailable(error) from error
        if self._down:
            self._down = False
            logger.info("the store is back")
        return found

    async def close(self) -> None:
        await self.engine.dispose()

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        if not self._down:
            self._down = True
            logger.warning("the store at %s is unavailable (%s); what needs none goes on", self.name, _kind(error))
        return StoreUnavailable("The store is unavailable.")

    def _forget(self, task: "asyncio.Future[Any]") -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # it is late and reported; nobody else asks for it


def database_url(url: str) -> URL:
    """`url` with the driver that we use. Heroku's `postgres://` means PostgreSQL. Raises SettingsError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError("DATABASE_URL is not the address of a database, such as postgresql://host/name.") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if kind in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    raise SettingsError(f"DATABASE_URL names a database of the kind {kind}; Angel uses PostgreSQL or SQLite.")


def sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string()


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        _make_file(url)
        engine = create_async_engine(url, connect_args={"timeout": STORE_SECONDS})
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    return create_async_engine(
        url,
        pool_size=5,
        max_overflow=5,
        pool_timeout=STORE_SECONDS,
        pool_pre_ping=True,  # a database that was started again has forgotten our connections
        pool_recycle=300,
        connect_args={"connect_timeout": 5, "options": f"-c statement_timeout={int(STORE_SECONDS * 1000) * 5}"},
    )


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # Readers don't wait for a writer then; several processes may have the file open.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # What is deleted is to be gone from the file, too: tokens, even encrypted ones.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _make_file(url: URL) -> None:
    """The file exists before SQLite opens it, so that nobody else on the machine can read what comes into it."""
    if not (path := _path(url)):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise SettingsError(f"The store's file {path} can't be made ({error.strerror}). Check DATABASE_URL.") from error


def _for_its_owner_only(url: URL) -> None:
    """A file that somebody made before Angel did may be open to others, and so may what SQLite puts beside it."""
    if path := _path(url):
        for beside in ("", "-wal", "-shm"):
            part = path.with_name(path.name + beside)
            if part.exists():
                part.chmod(0o600)


def _path(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATING})
    else:
        # SQLite's driver begins a transaction only at the first change; this is one, and others wait for it.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    command.upgrade(config, "head")


def newest_revision() -> str:
    """The revision that `migrate` brings a database to."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return str(ScriptDirectory.from_config(config).get_current_head())


def _kind(error: BaseException) -> str:
    """The kind of the failure: its text may hold the address, its password, or a statement's values."""
    original = getattr(error, "orig", None)
    return type(original or error).__name__
