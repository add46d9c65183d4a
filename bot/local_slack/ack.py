"""What comes back from the app."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ack:
    """`answer` is its body, an object or a text; or `error`, what went wrong; `status` over HTTP alone."""

    answer: Any = None
    error: str | None = None
    status: int | None = None
