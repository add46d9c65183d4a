"""Where answers appear: in the channel through a `response_url`, in a modal, in the composer."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol, TypeVar

from bot.slack import wording
from bot.slack.blocks import Answer, notice
from bot.slack.buttons import Asked, Element, answer_buttons, retry_buttons, use_button
from bot.slack.delivery import Refused, SlackClient, Undeliverable
from bot.slack.in_flight import Place
from bot.slack.modals import View, can_hold, composer_view, verdict_view
from bot.slack.text import Origin, Rewrite, read
from bot.threads import in_thread
from bot.verdict import Verdict

T = TypeVar("T")

SHORT = 1_000
"""Characters that are read and laid out in the loop: in about a millisecond, which a thread would cost, too."""
ACK_READ_SECONDS = 3.0
"""For an ack to be read; by then it has been, or has come too late for Slack anyway."""


async def apart(text: str, work: Callable[[], T]) -> T:
    """What is read and laid out of a text; in a thread where that is long, so that nobody else's ack waits for it."""
    return work() if len(text) <= SHORT else await in_thread(work, name="layout")


class VerdictPlace(Place, Protocol):
    """A place that can show a verdict."""

    gives_back: bool
    """Whether a draft has to be given back: a command clears the field that it was typed in."""

    async def still_reading(self) -> None: ...

    async def show(self, answer: Answer) -> None: ...

    def buttons(self, asked: Asked, verdict: Verdict, rewrite: Rewrite | None) -> list[Element]:
        """What there is to press under this verdict."""


class Reply:
    """Ephemeral messages through the `response_url` of one command, shortcut or press of a button.

    It has five uses in thirty minutes. Only a button's replaces a message, the one that the button is on.
    """

    gives_back = True

    def __init__(self, slack: SlackClient, response_url: str, asked: Asked, *, replaces: bool = False) -> None:
        self._slack = slack
        self._response_url = response_url
        self._asked = asked
        self._replaces = replaces
        self._waited = False

    async def say(self, sentence: str, *, again: bool = False) -> None:
        row = retry_buttons(self._asked) if again else []
        draft = self._asked.draft if self._asked.origin is Origin.DRAFT else ""
        answer = await apart(draft, lambda: notice(sentence, row=row, back=read(draft) if draft else None))
        # The answer that the button is on may still be of use; only what said "still reading" goes.
        await self._send(answer, replace=self._replaces and self._waited)

    async def still_reading(self) -> None:
        # Tried once: each further attempt might take a use away from the answer.
        self._waited = True
        await self._slack.respond(
            self._response_url, notice(wording.STILL_READING), replace=self._replaces, persist=False
        )

    async def show(self, answer: Answer) -> None:
        await self._send(answer, replace=self._replaces)

    async def _send(self, answer: Answer, *, replace: bool) -> None:
        try:
            await self._slack.respond(self._response_url, answer, replace=replace)
        except Refused:
            await self._slack.respond(self._response_url, Answer(answer.text), replace=False)

    def buttons(self, asked: Asked, verdict: Verdict, rewrite: Rewrite | None) -> list[Element]:
        return answer_buttons(asked, verdict, rewrite)


class VerdictModal:
    """A modal with a verdict, for a message in a thread; where it does not open, the reply `otherwise`."""

    gives_back = False

    def __init__(self, slack: SlackClient, asked: Asked, *, view_id: str = "", otherwise: Reply | None = None) -> None:
        self._slack = slack
        self._asked = asked
        self._view_id = view_id
        self._otherwise = otherwise

    async def open(self, trigger_id: str) -> None:
        """Raises Undeliverable where it does not open and there is nothing else."""
        try:
            self._view_id = await self._slack.open_view(trigger_id, verdict_view(notice(wording.READING)))
        except Undeliverable:
            if self._otherwise is None:
                raise

    async def say(self, sentence: str, *, again: bool = False) -> None:
        await self.show(notice(sentence, row=retry_buttons(self._asked) if again else []))

    async def still_reading(self) -> None:
        if self._view_id:
            await self._slack.update_view(self._view_id, verdict_view(notice(wording.STILL_READING)), persist=False)
        elif self._otherwise:
            await self._otherwise.still_reading()

    async def show(self, answer: Answer) -> None:
        if not self._view_id and self._otherwise:
            await self._otherwise.show(answer)
            return
        try:
            await self._slack.update_view(self._view_id, verdict_view(answer))
        except Refused:
            await self._slack.update_view(self._view_id, verdict_view(Answer(answer.text)))

    def buttons(self, asked: Asked, verdict: Verdict, rewrite: Rewrite | None) -> list[Element]:
        return answer_buttons(asked, verdict, rewrite)


class Composer:
    """The composer, with what was typed in it and something above."""

    gives_back = False

    def __init__(
        self, slack: SlackClient, view_id: str, asked: Asked, version: int, *, ack_read: asyncio.Event
    ) -> None:
        self._slack = slack
        self._view_id = view_id
        self._asked = asked
        self._version = version
        self._ack_read = ack_read

    def view(self, above: Answer) -> View:
        return composer_view(self._asked, above=above, version=self._version)

    async def say(self, sentence: str, *, again: bool = False) -> None:
        # The way to try again is the button that the composer has anyway.
        await self.show(notice(sentence))

    async def still_reading(self) -> None:
        await self._read_ack()
        await self._slack.update_view(self._view_id, self.view(notice(wording.STILL_READING)), persist=False)

    async def show(self, answer: Answer) -> None:
        await self._read_ack()
        try:
            await self._slack.update_view(self._view_id, self.view(answer))
        except Refused:
            await self._slack.update_view(self._view_id, self.view(Answer(answer.text)))

    async def _read_ack(self) -> None:
        """The ack has a view in it, too: were Slack to read it after another one, it would replace that."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ack_read.wait(), ACK_READ_SECONDS)

    def buttons(self, asked: Asked, verdict: Verdict, rewrite: Rewrite | None) -> list[Element]:
        return [use_button()] if rewrite and can_hold(rewrite.plain) else []


class Nowhere:
    """For what has no place to answer in, a global shortcut whose modal did not open, or is worth no word."""

    async def say(self, sentence: str, *, again: bool = False) -> None:
        raise Undeliverable("nowhere")
