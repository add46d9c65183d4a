"""Blocking work in a thread of its own, and its result where it is waited for.

Not an executor's threads: those are joined when the process ends, so one that is stuck in a call would hold up the end,
and it would keep its place in the executor for good. These die with the process.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_thread(work: Callable[[], T], *, name: str) -> asyncio.Future[T]:
    """The result of `work()`, for a coroutine to await. Whoever stops waiting leaves the thread to itself."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def deliver(done: Future[T]) -> None:
        if result.done():
            return
        if error := done.exception():
            result.set_exception(error)
        else:
            result.set_result(done.result())

    def hand_over(done: Future[T]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, done)

    _started(work, name).add_done_callback(hand_over)
    return result


def within(seconds: float, work: Callable[[], T], *, name: str) -> T:
    """The result of `work()`. Raises TimeoutError after so many seconds, and leaves the thread to itself then."""
    return _started(work, name).result(seconds)


def _started(work: Callable[[], T], name: str) -> Future[T]:
    future: Future[T] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            result = context.run(work)
        except BaseException as error:  # it goes to whoever waits
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
