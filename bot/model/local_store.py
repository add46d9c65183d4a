"""The MLflow store as an address: a SQLite file on this machine or a server, and how either is shown to people."""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

DEFAULT_STORE = "sqlite:///mlflow.db"
"""MLflow's own default, said aloud: a file in the working directory."""

_SQLITE = "sqlite:///"
_ARTIFACTS = Path("mlruns")
"""Where MLflow puts the artifacts of a store that is a file, in the working directory."""


def file_of(address: str) -> Path | None:
    """The file that a store is; None where it is a server or in memory."""
    if not address.startswith(_SQLITE):
        return None
    path = address.removeprefix(_SQLITE).partition("?")[0]
    return Path(path) if path and path != ":memory:" else None


def is_missing(address: str) -> bool:
    """Whether the store is a file that isn't there. MLflow would make an empty one, even to read it."""
    file = file_of(address)
    return file is not None and not file.exists()


def make_private(address: str) -> None:
    """Before MLflow makes a store that is a file: make it so that only this account can read it.

    It may come to hold people's words: the texts they gave with a vote, and the messages of an evaluation. Raises
    OSError.
    """
    file = file_of(address)
    if file is None or file.exists():
        return
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))  # SQLite gives its journals the same mode
    _ARTIFACTS.mkdir(mode=0o700, exist_ok=True)


def shown(address: str) -> str:
    """The address without a password, a token or anything else that stands where those may."""
    parts = urlsplit(address)
    if not parts.netloc and not parts.query:
        return address
    host = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    return urlunsplit((parts.scheme, f"{user}:***@{host}" if user else host, parts.path, "", parts.fragment))
