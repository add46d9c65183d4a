"""Work in threads of its own, and who waits for it."""

import asyncio
import threading

import pytest

from bot.threads import in_thread, within


def failing() -> None:
    raise KeyError("no")


async def test_the_result_comes_back_to_the_loop() -> None:
    assert await in_thread(threading.get_ident, name="check") != threading.get_ident()
    with pytest.raises(KeyError):
        await in_thread(failing, name="check")


def test_a_loop_that_has_closed_is_no_harm(recwarn: pytest.WarningsRecorder) -> None:
    gate = threading.Event()
    finished = threading.Event()

    def work() -> None:
        gate.wait(20)
        threading.current_thread().name = "finished"
        finished.set()

    async def leave() -> None:
        in_thread(work, name="check")

    asyncio.run(leave())
    gate.set()
    assert finished.wait(20)
    for thread in threading.enumerate():
        if thread.name == "finished":
            thread.join(20)  # pytest turns an exception that a thread dies of into an error of this test
    assert not recwarn.list


def test_whoever_waits_in_vain_is_told_and_the_thread_is_left_behind() -> None:
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, lambda: gate.wait(20), name="first load")
    gate.set()
    assert within(20, lambda: 7, name="first load") == 7
    with pytest.raises(KeyError):
        within(20, failing, name="first load")
