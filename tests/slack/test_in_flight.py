"""Requests in hand: acked under load, done once, finished or told so before the end."""

import asyncio
import json
import threading
from dataclasses import dataclass, field

import pytest

from bot.room import PER_PERSON
from bot.screener import Screener
from bot.slack.in_flight import InFlight
from bot.slack.wording import GOING_AWAY
from bot.verdict import CAUTION_SENTENCE, Draft, Verdict
from tests.slack.conftest import CAUTION, FakeScreener, answered, seen, serving

# Acks


async def test_a_slow_model_never_delays_an_ack(transport: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport, patience=60) as served:
        slack = served.slack
        deliveries = await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(200)))
        assert {delivery.error for delivery in deliveries} == {None}
        assert len(screener.drafts) == 200
        assert slack.ephemerals() == []

        screener.gate.set()

        await slack.changed(lambda: answered(slack, 200))
        assert slack.notices() == []


async def test_a_hundred_commands_at_once_get_a_hundred_answers(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(100)))

        assert len(await slack.changed(lambda: answered(slack, 100))) == 100
        assert {draft.text for draft in served.screener.drafts} == {f"Fine. {number}" for number in range(100)}


@dataclass
class BlockingModel:
    """Blocks its thread until `gate` is open, as a model does that waits for its server."""

    name: str = "a-model"
    version: str | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def check(self, draft: Draft) -> Verdict:
        assert self.gate.wait(60)
        return CAUTION


async def test_one_person_cannot_take_it_from_the_others(transport: str) -> None:
    model = BlockingModel()
    screener = Screener(model, BlockingModel(), deadline=60)
    async with serving(screener, transport, patience=60) as served:
        slack = served.slack
        deliveries = await asyncio.gather(
            *(slack.command("/angel", f"Fine. {number}") for number in range(40)),
            *(slack.command("/angel", f"Fine. {number}", user=slack.other) for number in range(8)),
        )
        assert {delivery.error for delivery in deliveries} == {None}
        turned_away = await slack.changed(
            lambda: slack.ephemerals(slack.user) if len(slack.ephemerals(slack.user)) == 40 - PER_PERSON else None,
        )
        assert turned_away
        assert all("in hand already" in seen(message) for message in turned_away)
        assert slack.ephemerals(slack.other) == []

        model.gate.set()

        await slack.changed(lambda: answered(slack, PER_PERSON))
        await slack.changed(lambda: len(slack.ephemerals(slack.other)) == 8)
        assert all(CAUTION_SENTENCE in seen(message) for message in slack.ephemerals(slack.other))


async def test_nothing_is_asked_of_slack_before_the_ack() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        await slack.changed(lambda: any(call.method == "auth.test" for call in slack.calls))
        slack.fail("auth.test", hang=True, times=9)

        assert (await slack.command("/angel", "Fine.")).acked


# Deliveries


async def test_a_delivery_that_comes_twice_is_checked_once(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        delivery = await slack.command("/angel", "Fine.")
        again = await slack.redeliver(delivery)
        await slack.changed(lambda: answered(slack))

        assert again.acked
        assert len(served.screener.drafts) == 1
        assert len(slack.ephemerals()) == 1


# The end


async def test_what_is_in_hand_is_finished_before_the_end(transport: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport) as served:
        slack = served.slack
        await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(10)))
        served.stop.set()
        if transport == "socket_mode":
            await slack.changed(lambda: not slack.connections)
        assert not served.worker.done()
        screener.gate.set()
        await served.worker

        assert len(answered(slack, 10)) == 10


@pytest.mark.parametrize("way", ["command", "thread", "composer"])
async def test_whoever_could_not_be_served_is_told(transport: str, way: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport, end_seconds=4.2) as served:
        slack = served.slack
        if way == "command":
            await slack.command("/angel", "Fine.")
        elif way == "thread":
            parent = slack.post("Who does it?")
            await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
        else:
            await slack.global_shortcut("write_with_angel")
            view = await slack.changed(lambda: slack.view())
            assert view
            await slack.submit(view, {"draft": "Fine. Keep this."})
        await screener.asked.wait()
        await served.end()

        shown = [*slack.ephemerals(), *filter(None, [slack.view()])]
        assert [GOING_AWAY in seen(each) for each in shown] == [True]
        if way == "composer":
            assert "Keep this." in json.dumps(slack.state(shown[0]))


async def test_what_nobody_can_be_told_does_not_hold_up_the_end() -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, "http", end_seconds=4.2, timeout=0.2) as served:
        await served.slack.command("/angel", "Fine.")
        served.slack.fail("response_url", hang=True, times=100)

        await served.end()


class Nothing:
    """A place where nothing is to be said."""

    async def say(self, sentence: str, *, again: bool = False) -> None:
        raise AssertionError(sentence)


async def test_the_end_waits_for_what_came_while_it_waited() -> None:
    in_flight, first, second = InFlight(), asyncio.Event(), asyncio.Event()
    order: list[str] = []
    pressed: list[asyncio.Future[None]] = []

    async def later() -> str:
        await second.wait()
        order.append("the second is done")
        return "done"

    async def work() -> str:
        await first.wait()
        pressed.append(asyncio.ensure_future(in_flight.serve("button", "2", Nothing(), later)))
        return "done"

    serving_first = asyncio.ensure_future(in_flight.serve("command", "1", Nothing(), work))
    ending = asyncio.ensure_future(in_flight.end(30))
    ending.add_done_callback(lambda _: order.append("the end"))
    await asyncio.sleep(0)
    first.set()
    await serving_first
    for _ in range(5):
        await asyncio.sleep(0)
    second.set()
    await ending

    assert order == ["the second is done", "the end"]


async def test_the_oldest_request_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.in_flight.REMEMBERED", 3)
    in_flight, done = InFlight(), []

    async def work() -> str:
        done.append(1)
        return "done"

    for trigger in ("1", "2", "3", "4", "2", "3", "4"):
        await in_flight.serve("command", trigger, Nothing(), work)
    assert len(done) == 4, "each once"
    await in_flight.serve("command", "1", Nothing(), work)

    assert len(done) == 5
