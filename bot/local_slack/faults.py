"""What a test can make go wrong: the next uses of something fail, hang, or lose their answer."""

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass
class Fault:
    """How the next `times` uses fail: with a status, a Slack error, no answer at all, or a cut line.

    `done` does what was asked before it fails, so that only the answer is lost.
    """

    status: int | None = None
    error: str | None = None
    retry_after: int | None = None
    hang: bool = False
    drop: bool = False
    done: bool = False
    times: int = 1


class Faults:
    """By what they are of: a Web API method, `response_url`, or `link` for Socket Mode's connections."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = {}
        self._closing = asyncio.Event()

    def add(self, what: str, fault: Fault) -> None:
        self._waiting.setdefault(what, deque()).append(fault)

    def next(self, what: str) -> Fault | None:
        queue = self._waiting.get(what)
        if not queue:
            return None
        fault = queue[0]
        fault.times -= 1
        if fault.times <= 0:
            queue.popleft()
        return fault

    async def hang(self) -> None:
        """Until this Slack ends."""
        await self._closing.wait()

    def close(self) -> None:
        """Lets go of the requests that hang."""
        self._closing.set()
