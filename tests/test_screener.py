"""The screener, with models that are slow, stuck, broken or wrong."""

import asyncio
import logging
import threading
import time

import pytest

from bot import health, room
from bot import screener as module
from bot.errors import (
    MODEL_ERRORS,
    AnswerRefused,
    Busy,
    ModelMisconfigured,
    ModelRateLimited,
    ModelUnavailable,
    TooManyAtOnce,
)
from bot.screener import Screener
from bot.verdict import Draft, Fallback, Label, Verdict

DRAFT = Draft(text="Marmalade, as per my last email.")


class ScriptedModel:
    """Answers with what it is given; raises it where it is an exception; waits for `gate` first."""

    def __init__(self, answer: Verdict | BaseException, *, name: str = "scripted", gate: threading.Event | None = None):
        self.name = name
        self.version: str | None = "7"
        self.answer = answer
        self.gate = gate
        self.drafts: list[Draft] = []
        self.started = threading.Semaphore(0)

    def check(self, draft: Draft) -> Verdict:
        self.drafts.append(draft)
        self.started.release()
        if self.gate:
            self.gate.wait(30)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


GOOD = Verdict(label=Label.GOOD, model="scripted", version="7", input_tokens=11, output_tokens=22)
OFFLINE = Verdict(label=Label.CAUTION, model="offline", offline=True)


def fallback() -> ScriptedModel:
    return ScriptedModel(OFFLINE, name="offline")


async def started(model: ScriptedModel, count: int) -> None:
    """Returns once `count` checks have reached the model."""
    for _ in range(count):
        assert await asyncio.to_thread(model.started.acquire, timeout=120)


async def test_the_models_verdict_is_the_answer() -> None:
    model, offline = ScriptedModel(GOOD), fallback()
    assert await Screener(model, offline).screen(DRAFT) == GOOD
    assert (model.drafts, offline.drafts) == ([DRAFT], [])


async def test_a_late_model_is_answered_for() -> None:
    gate = threading.Event()
    verdict = await Screener(ScriptedModel(GOOD, gate=gate), fallback(), deadline=0.05).screen(DRAFT)
    gate.set()
    assert (verdict.label, verdict.offline, verdict.fallback) == (Label.CAUTION, True, Fallback.LATE)


@pytest.mark.parametrize("kind", MODEL_ERRORS.values())
async def test_every_model_error_is_answered_for_and_named(kind: type[Exception]) -> None:
    verdict = await Screener(ScriptedModel(kind("No.")), fallback()).screen(DRAFT)
    assert verdict.offline
    assert verdict.fallback is not None
    assert MODEL_ERRORS[verdict.fallback.value] is kind


@pytest.mark.parametrize("bug", [RuntimeError("Marmalade"), KeyError("Marmalade"), RecursionError()])
async def test_a_bug_in_a_model_costs_nobody_an_answer(bug: Exception, caplog: pytest.LogCaptureFixture) -> None:
    verdict = await Screener(ScriptedModel(bug), fallback()).screen(DRAFT)
    assert verdict.fallback is Fallback.FAILED
    assert type(bug).__name__ in caplog.text
    assert "test_screener:" in caplog.text
    assert "Marmalade" not in caplog.text


async def test_past_its_room_one_waits_and_is_answered() -> None:
    gate = threading.Event()
    model = ScriptedModel(GOOD, gate=gate)
    screener = Screener(model, fallback(), concurrency=3, deadline=60)
    waiting = [asyncio.create_task(screener.screen(DRAFT)) for _ in range(7)]
    await started(model, 3)
    assert len(model.drafts) == 3
    gate.set()
    assert await asyncio.gather(*waiting) == [GOOD] * 7


async def test_who_gets_no_room_in_time_is_turned_away_and_there_is_room_again_after() -> None:
    gate = threading.Event()
    model = ScriptedModel(GOOD, gate=gate)
    screener = Screener(model, model, concurrency=3, deadline=0.1)  # the fallback itself: it is never late
    waiting = [asyncio.create_task(screener.screen(DRAFT)) for _ in range(3)]
    await started(model, 3)
    with pytest.raises(Busy, match="try again"):
        await screener.screen(DRAFT)
    gate.set()
    assert await asyncio.gather(*waiting) == [GOOD] * 3
    assert await screener.screen(DRAFT) == GOOD


async def test_acks_that_wait_in_the_loop_come_before_a_check_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_SECONDS", 60.0)
    happened: list[str] = []
    model = ScriptedModel(GOOD)
    screener = Screener(model, fallback())

    async def ack(number: int) -> None:
        for _ in range(number):  # each a turn of the loop later than the one before
            await asyncio.sleep(0)
        time.sleep(2 * module.QUIET_SECONDS)  # noqa: ASYNC251 - what an ack takes of the loop
        happened.append(f"ack, {len(model.drafts)} checks begun")

    checks = [asyncio.create_task(screener.screen(DRAFT)) for _ in range(3)]
    await asyncio.gather(*(ack(number) for number in range(20)))
    assert await asyncio.gather(*checks) == [GOOD] * 3
    assert happened == ["ack, 0 checks begun"] * 20


async def test_nobody_takes_all_the_room() -> None:
    gate = threading.Event()
    model = ScriptedModel(GOOD, gate=gate)
    screener = Screener(model, fallback(), concurrency=room.PER_PERSON + 8, deadline=60)
    greedy = [asyncio.create_task(screener.screen(DRAFT, person="U1")) for _ in range(300)]
    others = [asyncio.create_task(screener.screen(DRAFT, person="U2")) for _ in range(8)]
    await started(model, room.PER_PERSON + 8)
    turned_away = [task for task in greedy if task.done()]
    assert len(turned_away) == 300 - room.PER_PERSON
    assert {type(task.exception()) for task in turned_away} == {TooManyAtOnce}
    gate.set()
    assert await asyncio.gather(*others) == [GOOD] * 8
    assert await screener.screen(DRAFT, person="U1") == GOOD


async def test_whoever_waits_for_room_counts_too_and_giving_up_counts_no_more() -> None:
    gate = threading.Event()
    model = ScriptedModel(GOOD, gate=gate)
    screener = Screener(model, fallback(), concurrency=1, deadline=60)
    mine = [asyncio.create_task(screener.screen(DRAFT, person="U1")) for _ in range(room.PER_PERSON)]
    await started(model, 1)
    with pytest.raises(TooManyAtOnce):
        await screener.screen(DRAFT, person="U1")
    for task in mine:
        task.cancel()
    await asyncio.wait(mine)
    gate.set()
    await came_back(screener)
    assert await screener.screen(DRAFT, person="U1") == GOOD


class Clock:
    """Time as a test holds it: a sleep ends when it is told to."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self._asleep = asyncio.Event()
        self._awake = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._awake.clear()
        self._asleep.set()
        await self._awake.wait()

    async def pass_once_asleep(self) -> None:
        await asyncio.wait_for(self._asleep.wait(), 20)
        self._asleep.clear()
        self._awake.set()


async def test_while_a_model_is_down_nobody_waits_for_it_and_it_is_tried_again_by_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, model = Clock(), ScriptedModel(ModelUnavailable("No."))
    screener = Screener(model, fallback(), sleep=clock.sleep)
    for _ in range(health.DOWN_AFTER + 5):
        verdict = await screener.screen(DRAFT)
        assert (verdict.offline, verdict.fallback) == (True, Fallback.UNAVAILABLE)
    assert model.drafts == [DRAFT] * health.DOWN_AFTER
    await clock.pass_once_asleep()
    await started(model, health.DOWN_AFTER + 1)
    assert model.drafts[-1] == health.KNOWN  # no person's draft is sent on trial
    await clock.pass_once_asleep()
    await started(model, 1)
    model.answer = GOOD
    assert (await screener.screen(DRAFT)).offline
    await clock.pass_once_asleep()
    await started(model, 1)
    while (verdict := await screener.screen(DRAFT)).offline:  # until the trial's answer is through
        pass
    assert verdict == GOOD
    assert clock.sleeps == [5, 10, 20]
    assert caplog.text.count("is down") == 1
    assert caplog.text.count("is up again") == 1


async def test_a_hanging_model_costs_a_deadline_only_until_it_counts_as_down() -> None:
    gate, clock = threading.Event(), Clock()
    model = ScriptedModel(GOOD, gate=gate)
    screener = Screener(model, fallback(), deadline=0.05, sleep=clock.sleep)
    verdicts = [await screener.screen(DRAFT) for _ in range(health.DOWN_AFTER + 5)]
    assert {verdict.fallback for verdict in verdicts} == {Fallback.LATE}
    assert len(model.drafts) == health.DOWN_AFTER
    gate.set()


async def test_after_a_trial_one_failure_more_is_down_again_for_longer() -> None:
    clock, model = Clock(), ScriptedModel(ModelUnavailable("No."))
    screener = Screener(model, fallback(), sleep=clock.sleep)
    for _ in range(health.DOWN_AFTER):
        await screener.screen(DRAFT)
    model.answer = GOOD
    await clock.pass_once_asleep()
    await started(model, health.DOWN_AFTER + 1)
    model.answer = ModelUnavailable("No.")
    while len(model.drafts) == health.DOWN_AFTER + 1:  # until the trial's answer is through, and a draft is asked about
        assert (await screener.screen(DRAFT)).offline
    await clock.pass_once_asleep()
    assert clock.sleeps == [5, 10]


@pytest.mark.parametrize("kind", [ModelRateLimited, AnswerRefused, ModelMisconfigured, RuntimeError])
async def test_a_model_that_answers_somehow_is_not_down(kind: type[Exception]) -> None:
    model = ScriptedModel(kind("No."))
    screener = Screener(model, fallback())
    for _ in range(10):
        await screener.screen(DRAFT)
    assert len(model.drafts) == 10


async def test_failures_with_an_answer_in_between_are_bad_luck() -> None:
    model = ScriptedModel(GOOD)
    screener = Screener(model, fallback())
    answers: list[Verdict | BaseException] = [ModelUnavailable("No."), GOOD] * 5
    for answer in answers:
        model.answer = answer
        await screener.screen(DRAFT)
    assert len(model.drafts) == 10


async def test_a_model_swapped_in_is_asked_though_the_one_before_was_down() -> None:
    clock, broken = Clock(), ScriptedModel(ModelUnavailable("No."))
    screener = Screener(broken, fallback(), sleep=clock.sleep)
    for _ in range(health.DOWN_AFTER):
        await screener.screen(DRAFT)
    screener.swap(ScriptedModel(GOOD))
    assert await screener.screen(DRAFT) == GOOD
    await clock.pass_once_asleep()
    await asyncio.sleep(0)
    assert len(broken.drafts) == health.DOWN_AFTER  # the one that is gone is not tried any more


async def test_a_waiting_check_never_blocks_the_loop() -> None:
    gate = threading.Event()
    model = ScriptedModel(GOOD, gate=gate)
    waiting = asyncio.create_task(Screener(model, fallback()).screen(DRAFT))
    await started(model, 1)
    gate.set()  # reached only if the loop is free while the model is not
    assert await waiting == GOOD


async def test_stuck_threads_do_not_shrink_capacity() -> None:
    gate = threading.Event()
    stuck = ScriptedModel(GOOD, gate=gate)
    screener = Screener(stuck, fallback(), concurrency=2, deadline=0.05)
    for _ in range(2):
        assert (await screener.screen(DRAFT)).fallback is Fallback.LATE
    # Both slots are free again; the model is not asked a third time while it is stuck in two calls.
    assert (await screener.screen(DRAFT)).fallback is Fallback.LATE
    assert len(stuck.drafts) == 2
    gate.set()
    await came_back(screener)
    assert not screener._asked[1].stuck


async def test_a_model_stuck_for_good_is_tried_again_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    stuck = ScriptedModel(GOOD, gate=gate)
    screener = Screener(stuck, fallback(), concurrency=1, deadline=0.05)
    await screener.screen(DRAFT)
    await screener.screen(DRAFT)
    assert len(stuck.drafts) == 1
    monkeypatch.setattr(health, "FORGET_STUCK_SECONDS", 0.0)
    await screener.screen(DRAFT)
    assert len(stuck.drafts) == 2
    gate.set()


async def came_back(screener: Screener) -> None:
    """Returns once no call is stuck any more."""
    while screener._asked[1]._left:  # noqa: ASYNC110 - a call comes back through the loop; nothing tells the outside
        await asyncio.sleep(0)


async def test_the_model_is_swapped_while_checks_are_in_flight() -> None:
    gate = threading.Event()
    old, new = ScriptedModel(GOOD, gate=gate), ScriptedModel(GOOD.model_copy(update={"model": "new"}))
    screener = Screener(old, fallback())
    waiting = asyncio.create_task(screener.screen(DRAFT))
    await started(old, 1)
    screener.swap(new)
    assert (await screener.screen(DRAFT)).model == "new"
    gate.set()
    assert (await waiting).model == "scripted"


async def test_a_fresh_model_is_not_held_to_the_old_ones_stuck_calls() -> None:
    gate = threading.Event()
    screener = Screener(ScriptedModel(GOOD, gate=gate), fallback(), concurrency=1, deadline=1.0)
    await screener.screen(DRAFT)
    screener.swap(ScriptedModel(GOOD))
    assert await screener.screen(DRAFT) == GOOD
    gate.set()


async def test_a_cancelled_check_gives_its_slot_back() -> None:
    gate = threading.Event()
    model = ScriptedModel(GOOD, gate=gate)
    screener = Screener(model, fallback(), concurrency=1)
    waiting = asyncio.create_task(screener.screen(DRAFT))
    await started(model, 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await came_back(screener)
    assert await screener.screen(DRAFT) == GOOD


async def test_one_line_tells_of_a_check_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await Screener(ScriptedModel(GOOD), fallback()).screen(DRAFT)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "bot.screener"]
    for part in (
        "outcome=good",
        "model=scripted",
        "version=7",
        "ms=",
        f"chars={len(DRAFT.text)}",
        "tokens_in=11",
        "tokens_out=22",
    ):
        assert part in line
    assert "Marmalade" not in caplog.text


@pytest.mark.parametrize("answer", [GOOD, AnswerRefused("No."), ModelUnavailable("No."), RuntimeError("Marmalade")])
async def test_no_text_is_logged_whatever_happens(
    answer: Verdict | BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await Screener(ScriptedModel(answer), fallback(), deadline=5).screen(DRAFT)
    assert "Marmalade" not in caplog.text
