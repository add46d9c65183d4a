"""A real PostgreSQL on this machine, for the tests of the store."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

MISSING = "PostgreSQL is not installed here (Debian: apt-get install postgresql)"


def programs() -> Path | None:
    """The folder of PostgreSQL's programs: where Debian puts the newest, or on the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Server:
    """A server of its own, reached through a socket in its own folder: no port is taken."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder = folder
        self._bin = bin_folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgres://angel@/postgres?host={quote(str(self.folder), safe='')}"

    def make(self) -> None:
        self._run("initdb", "--pgdata", str(self.folder / "data"), "--username=angel", "--auth=trust", "--no-sync")

    def start(self) -> None:
        arguments = [
            str(self._bin / "postgres"),
            *("-D", str(self.folder / "data"), "-k", str(self.folder), "-c", "listen_addresses="),
            *("-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=40"),
        ]
        self._process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own server
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as_another()
        )
        for _ in range(400):
            try:
                psycopg.connect(self.url.replace("postgres://", "postgresql://")).close()
            except psycopg.OperationalError:
                # There is nothing to wait on: it neither prints nor makes its socket when it is ready.
                time.sleep(0.05)
            else:
                return
        raise AssertionError("PostgreSQL does not start")

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def hang(self) -> None:
        """The server and its children stop where they are, without a word."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)

    def go_on(self) -> None:
        for process in self._processes():
            os.kill(process, signal.SIGCONT)

    def _processes(self) -> list[int]:
        assert self._process
        listed = subprocess.run(  # noqa: S603
            ["ps", "-o", "pid=", "--ppid", str(self._process.pid)],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        return [self._process.pid, *(int(word) for word in listed.stdout.split())]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [str(self._bin / program), *arguments], stdout=subprocess.DEVNULL, check=True, **_as_another()
        )


def _as_another() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; as root, Debian's own user runs it."""
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


@contextmanager
def running() -> Iterator[Server]:
    """A server that is started and, at the end, stopped and deleted."""
    bin_folder = programs()
    assert bin_folder, MISSING
    # Not in pytest's own folder: the path of a socket has 107 bytes at most, and another user has to get there.
    with tempfile.TemporaryDirectory(prefix="angel-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        server = Server(folder, bin_folder)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
