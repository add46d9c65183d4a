"""The real app behind the real worker, in front of the local Slack."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pytest

from bot.errors import AngelError
from bot.local_slack.clock import Clock
from bot.local_slack.slack import Delivery, LocalSlack
from bot.particulars import differences
from bot.slack.angel import Screener
from bot.slack.blocks import VOTES
from bot.slack.http import serve_http
from bot.slack.manifest import manifest
from bot.slack.socket_mode import serve_socket_mode
from bot.verdict import CAUTION_SENTENCE, Category, Draft, Finding, Label, Verdict

OFFLINE_NOTE = "The offline check knows phrases, not meaning."
CAUTION = Verdict(
    label=Label.CAUTION,
    findings=(
        Finding(category=Category.PASSIVE_AGGRESSION, excerpt="Fine.", reason="It can sound like the opposite."),
    ),
    rewrite="Sure, happy to!",
    model="a-model",
    version="3",
)
GOOD = Verdict(label=Label.GOOD, model="a-model")


@dataclass
class FakeScreener:
    """Records the drafts it is given and gives `answer`, or raises it, once `gate` is open."""

    answer: Verdict | BaseException | Callable[[Draft], Verdict] = CAUTION
    drafts: list[Draft] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def screen(self, draft: Draft, *, person: str | None = None) -> Verdict:
        self.drafts.append(draft)
        self.asked.set()
        await self.gate.wait()
        if isinstance(self.answer, BaseException):
            raise self.answer
        verdict = self.answer if isinstance(self.answer, Verdict) else self.answer(draft)
        # As every model's verdict has it.
        lost, added = differences(draft.text, verdict.rewrite) if verdict.rewrite else ((), ())
        return verdict.model_copy(update={"lost": lost, "added": added})


@dataclass
class FakeRecorder:
    """Records what it is given: checks with their names, votes, and texts."""

    keeps_text: bool = False
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    votes: list[tuple[str, bool, str]] = field(default_factory=list)
    texts: list[tuple[str, str, str]] = field(default_factory=list)

    def check(self, draft: Draft, verdict: Verdict, *, seconds: float, way_in: str, user: str) -> str:
        name = f"check-{len(self.checks)}"
        self.checks[name] = {"draft": draft, "label": verdict.label, "way_in": way_in, "user": user}
        assert 0 <= seconds < 60
        return name

    def vote(self, check: str, *, helpful: bool, user: str) -> None:
        self.votes.append((check, helpful, user))

    def keep_text(self, check: str, text: str, *, user: str) -> None:
        self.texts.append((check, text, user))


ScreenerT = TypeVar("ScreenerT", bound=Screener)


@dataclass
class Served(Generic[ScreenerT]):
    """The worker that runs, and how to end it."""

    slack: LocalSlack
    screener: ScreenerT
    stop: asyncio.Event
    worker: asyncio.Task[None]
    url: str = ""

    async def end(self) -> None:
        self.stop.set()
        await self.worker


@asynccontextmanager
async def serving(
    screener: ScreenerT, transport: str, *, slack: LocalSlack | None = None, entered: bool = False, **options: Any
) -> AsyncIterator[Served[ScreenerT]]:
    """Angel over "http" or "socket_mode"; its retries come quickly. What the worker raises is raised here.

    Slack's clock stands still unless a test moves it: a busy machine makes nothing time out.
    `entered`: that `slack` runs already.
    """
    async with AsyncExitStack() as stack:
        if slack is None or not entered:
            slack = await stack.enter_async_context(slack or LocalSlack(manifest=manifest(), clock=Clock(frozen=True)))
        stop = asyncio.Event()
        common: dict[str, Any] = {
            "bot_token": slack.bot_token,
            "slack_url": slack.api_url,
            "offline_note": OFFLINE_NOTE,
            "pauses": (0.01, 0.01, 0.01),
            "end_seconds": 60.0,
            **options,
        }
        if transport == "http":
            listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            worker = asyncio.ensure_future(
                serve_http(
                    screener,
                    stop,
                    signing_secret=slack.signing_secret,
                    host="127.0.0.1",
                    model_loaded=lambda: True,
                    listening=listening.set_result,
                    **{"port": 0, **common},
                )
            )
            port = await _or_failure(listening, worker)
            served = Served(slack, screener, stop, worker, f"http://127.0.0.1:{port}")
            slack.request_url = f"{served.url}/slack/events"
        else:
            worker = asyncio.ensure_future(serve_socket_mode(screener, stop, app_token=slack.app_token, **common))
            served = Served(slack, screener, stop, worker)
            await _or_failure(asyncio.ensure_future(slack.changed(lambda: slack.connections)), worker)
        try:
            yield served
        finally:
            if isinstance(screener, FakeScreener):
                screener.gate.set()
            await served.end()


async def _or_failure(ready: asyncio.Future[Any], worker: asyncio.Task[None]) -> Any:
    await asyncio.wait({ready, worker}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        ready.cancel()
        worker.result()
    return await ready


@pytest.fixture(params=["http", "socket_mode"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def seen(message: dict[str, Any] | None) -> str:
    """All words of a message or a view, as a person sees them."""
    assert message is not None
    return "\n".join(_words(message["blocks"]))


def _words(value: Any) -> list[str]:
    match value:
        case {"type": "text" | "plain_text" | "mrkdwn" | "link", **rest}:
            return [str(rest.get("text") or rest.get("url"))]
        case {"type": "user", "user_id": user}:
            return [f"<@{user}>"]
        case dict():
            return [word for key, each in value.items() if key != "value" for word in _words(each)]
        case list():
            return [word for each in value for word in _words(each)]
        case _:
            return []


def buttons(message: dict[str, Any] | None) -> list[str]:
    """Those for going on; the votes are under every verdict."""
    assert message is not None
    rows = (
        block
        for block in message["blocks"]
        if block["type"] == "actions" and not block.get("block_id", "").startswith(VOTES)
    )
    return [button["action_id"] for row in rows for button in row["elements"]]


def pressable(message: dict[str, Any], action_id: str) -> dict[str, Any]:
    """The one button or menu of that name."""
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    (found,) = [each for row in rows for each in row if each["action_id"] == action_id]
    return dict(found)


def vote_buttons(message: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The menu at the side of the small print, or the two buttons below it."""
    assert message is not None
    found: list[dict[str, Any]] = []
    for block in message["blocks"]:
        if block.get("block_id", "").startswith(VOTES):
            found += block.get("elements", []) + ([block["accessory"]] if "accessory" in block else [])
    return found


async def voted(slack: LocalSlack, message: dict[str, Any], helpful: bool) -> Delivery:
    """A vote, by whichever of the two there is."""
    thumbs = vote_buttons(message)
    if thumbs[0]["type"] == "button":
        return await slack.press(message, "helpful" if helpful else "not_helpful")
    return await slack.press(message, "vote", thumbs[0]["options"][not helpful]["value"])


async def the_answer(slack: LocalSlack) -> dict[str, Any]:
    """The one ephemeral message there is, once there is one."""
    answers = await slack.changed(lambda: slack.ephemerals())
    assert len(answers) == 1
    answer: dict[str, Any] = answers[0]
    return answer


async def the_view(slack: LocalSlack, words: str) -> dict[str, Any]:
    """The modal, once these words are in it."""
    await slack.changed(lambda: slack.view() and words in seen(slack.view()))
    return the_modal(slack)


def the_modal(slack: LocalSlack) -> dict[str, Any]:
    view = slack.view()
    assert view is not None
    return view


class Oddity(Exception):
    """A bug: nothing that the code knows."""


class OurOwn(AngelError):
    """An error that speaks to the operator."""


def answered(slack: LocalSlack, count: int = 1) -> list[dict[str, Any]]:
    """The ephemeral messages with a verdict, once there are so many."""
    found = [message for message in slack.ephemerals() if CAUTION_SENTENCE in seen(message)]
    return found if len(found) >= count else []
