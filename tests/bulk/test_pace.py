"""The pace: how it falls, how it recovers, and when a model counts as gone."""

import asyncio
from collections.abc import Callable

import pytest

from bot.bulk.pace import DEAD_PAUSES, DEAD_ROWS, LONGEST_PAUSE, Pace
from bot.errors import ModelError

PAUSE = 2.0


class Clock:
    """The pauses that were told, and a loop's time that moves only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.pauses: list[float] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    def told(self, seconds: float, why: str) -> None:
        self.pauses.append(seconds)
        self.now += seconds


async def at_once(pace: Pace) -> int:
    """How many turns it gives out at the same time."""
    taken = 0

    async def take(hold: asyncio.Event) -> None:
        nonlocal taken
        async with pace.turn():
            taken += 1
            await hold.wait()

    hold = asyncio.Event()
    tasks = [asyncio.create_task(take(hold)) for _ in range(40)]
    for _ in range(200):
        await asyncio.sleep(0)
    found = taken
    hold.set()
    await asyncio.gather(*tasks)
    return found


async def test_it_halves_for_each_pause_and_recovers_with_answers() -> None:
    pace = Pace(16, 0.0, lambda seconds, why: None)
    assert await at_once(pace) == 16
    pace.turned_away("Ask less often.")
    assert await at_once(pace) == 8
    for _ in range(2):
        pace.turned_away("Ask less often.")
    assert await at_once(pace) == 2
    counts = []
    for _ in range(150):
        pace.answered()
        counts.append(await at_once(pace))
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (2, 16), "it grows with the answers, and no further than it may"


async def test_pauses_double_up_to_a_minute_and_shrink_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(4, PAUSE, clock.told)
    for _ in range(DEAD_PAUSES - 1):
        pace.turned_away("Ask less often.")
    assert clock.pauses == [2, 4, 8, 16, 32, LONGEST_PAUSE]
    clock.pauses.clear()
    for _ in range(3):
        pace.answered()
    pace.turned_away("Ask less often.")
    assert clock.pauses == [LONGEST_PAUSE / 8]
    for _ in range(10):
        pace.answered()
    pace.turned_away("Ask less often.")
    assert clock.pauses[-1] == PAUSE


async def test_whoever_was_asked_before_the_pause_began_makes_it_no_longer() -> None:
    pauses: list[float] = []
    pace = Pace(8, 30.0, lambda seconds, why: pauses.append(seconds))
    for _ in range(8):
        pace.turned_away("Ask less often.")
    assert pauses == [30.0]


@pytest.mark.parametrize(("what", "times"), [("turned_away", DEAD_PAUSES), ("failed", DEAD_ROWS)])
async def test_a_model_that_answers_nobody_in_between_counts_as_gone(what: str, times: int) -> None:
    pace = Pace(4, 0.0, lambda seconds, why: None)
    again: Callable[[str], None] = getattr(pace, what)
    for _ in range(times - 1):
        again("Down.")
    pace.answered()
    for _ in range(times - 1):
        again("Down.")
    async with pace.turn():
        pass
    again("Down.")
    with pytest.raises(ModelError, match="Down"):
        async with pace.turn():
            pass
