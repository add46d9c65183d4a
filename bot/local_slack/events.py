"""What happens in the local Slack, told to whoever listens or waits."""

import asyncio
import copy
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

JSON = dict[str, Any]
T = TypeVar("T")

BACKLOG = 1_000
"""Events kept for a reader that is slow; the oldest go first."""


KEPT = 300
"""Events remembered, for whoever comes later."""


class Subscription:
    """The events from now on; leaves with its `with` block, ends with the Slack."""

    def __init__(self, events: "Events") -> None:
        self._events = events
        self._waiting: deque[JSON] = deque()
        self._lost = 0
        self._more = asyncio.Event()

    def put(self, event: JSON) -> None:
        if len(self._waiting) == BACKLOG:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(event)
        self._more.set()

    def wake(self) -> None:
        self._more.set()

    def __enter__(self) -> "Subscription":
        self._events.readers.append(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._events.readers.remove(self)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> JSON:
        while not self._waiting:
            if self._events.closed:
                raise StopAsyncIteration
            self._more.clear()
            await self._more.wait()
        if self._lost:
            count, self._lost = self._lost, 0
            return {"id": self._waiting[0]["id"] - 1, "type": "lost", "count": count}
        return self._waiting.popleft()


class Events:
    """Tells subscribers, and wakes whoever waits for a change."""

    def __init__(self) -> None:
        self.last = 0
        self.closed = False
        self.readers: list[Subscription] = []
        self.kept: deque[JSON] = deque(maxlen=KEPT)
        self._waiters: list[asyncio.Future[None]] = []

    def emit(self, type: str, **fields: Any) -> None:
        self.last += 1
        # What is shown changes later on; what happened does not.
        event = copy.deepcopy({"id": self.last, "type": type, **fields})
        self.kept.append(event)
        for reader in self.readers:
            reader.put(event)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def subscribe(self) -> Subscription:
        return Subscription(self)

    def close(self) -> None:
        """Readers get what is waiting for them, and then the end."""
        self.closed = True
        for reader in self.readers:
            reader.wake()

    async def changed(self, predicate: Callable[[], T], seconds: float) -> T:
        """What `predicate()` returns once that is true; TimeoutError names the kinds of what happened meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := predicate()):
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.append(waiter)
                    await waiter
                return value
        except TimeoutError:
            seen = ", ".join(event["type"] for event in list(self.kept)[-8:]) or "nothing"
            raise TimeoutError(f"no such change within {seconds:g} s; last happened: {seen}") from None
