"""Where answers appear: in the channel through a `response_url`, in a modal, in the composer."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from bot.slack import wording
from bot.slack.blocks import MAX_INPUT, Answer, Block, notice
from bot.slack.buttons import Asked, again_button, check_buttons, edit_button, use_button
from bot.slack.delivery import SlackClient, Undeliverable
from bot.slack.in_flight import Place
from bot.slack.modals import composer_view, verdict_view
from bot.slack.text import Rewrite
from bot.verdict import Tone

URL_USES = 5
ACK_READ_SECONDS = 3.0
"""For an ack to be read; by then it has been, or has come too late for Slack anyway."""
URL_SECONDS = 30 * 60 - 30
"""Slack's 30 minutes, less what an answer may need to get there."""


class VerdictPlace(Place, Protocol):
    """A place that can show a verdict."""

    async def still_reading(self) -> None: ...

    async def show(self, answer: Answer) -> None: ...

    def offers(self, seen: str, rewrite: Rewrite | None) -> tuple[list[list[Block]], list[str]]:
        """Rows of buttons to choose from, longest first, and what to say beside them. `seen` digests the rewrite."""


class Reply:
    """An ephemeral answer through a `response_url`, and what replaces it in place.

    The uses are counted over the whole chain of an answer and its replacements, though Slack gives each press of a
    button an address of its own: it is the one count that holds whichever of them Slack goes by. What is said of a vote
    is not in it, since the other buttons of the answer can't know of it: it goes where Slack takes it, or is left out.
    """

    def __init__(
        self, slack: SlackClient, response_url: str, asked: Asked, *, now: Callable[[], float], replaces: bool = False
    ) -> None:
        self._slack = slack
        self._response_url = response_url
        self._asked = replace(asked, since=asked.since or int(now()))
        self._now = now
        self._replaces = replaces

    @property
    def closed(self) -> bool:
        return self._asked.uses >= URL_USES or self._now() - self._asked.since > URL_SECONDS

    async def say(self, sentence: str, *, again: bool = False) -> None:
        after = self._after()
        rows = [[edit_button(after)]]
        if after.uses < URL_USES:
            rows.insert(0, [again_button(after), edit_button(after)])
        await self.show(notice(sentence, buttons=rows if again and after.draft else ()))

    async def still_reading(self) -> None:
        if self._asked.uses + 2 <= URL_USES:
            await self.show(notice(wording.STILL_READING))

    async def show(self, answer: Answer) -> None:
        replaces, self._replaces = self._replaces, True
        self._asked = self._after()
        await self._slack.respond(self._response_url, answer, replace=replaces)

    def offers(self, seen: str, rewrite: Rewrite | None) -> tuple[list[list[Block]], list[str]]:
        after = replace(self._after(), seen=seen)
        if after.uses >= URL_USES:
            return [[edit_button(after)]], [wording.NO_MORE_USES]
        return [check_buttons(after), [edit_button(after)]], []

    def _after(self) -> Asked:
        return replace(self._asked, uses=self._asked.uses + 1)


class VerdictModal:
    """A modal with a verdict, for a message in a thread."""

    def __init__(self, slack: SlackClient, asked: Asked, view_id: str = "") -> None:
        self._slack = slack
        self._asked = asked
        self._view_id = view_id

    async def open(self, trigger_id: str) -> None:
        self._view_id = await self._slack.open_view(trigger_id, verdict_view(notice(wording.READING)))

    async def say(self, sentence: str, *, again: bool = False) -> None:
        rows = [[again_button(self._asked), edit_button(self._asked)]] if again and self._asked.draft else ()
        await self.show(notice(sentence, buttons=rows))

    async def still_reading(self) -> None:
        await self.show(notice(wording.STILL_READING))

    async def show(self, answer: Answer) -> None:
        await self._slack.update_view(self._view_id, verdict_view(answer))

    def offers(self, seen: str, rewrite: Rewrite | None) -> tuple[list[list[Block]], list[str]]:
        asked = replace(self._asked, seen=seen)
        return [check_buttons(asked), [edit_button(asked)]], []


class Composer:
    """The composer, with what was typed in it and something above."""

    def __init__(
        self,
        slack: SlackClient,
        view_id: str,
        draft: str,
        tone: Tone,
        context: str | None,
        version: int,
        *,
        own: bool,
        ack_read: asyncio.Event,
    ) -> None:
        self._slack = slack
        self._view_id = view_id
        self._ack_read = ack_read
        self._draft, self._tone, self._context = draft, tone, context
        self._version, self._own = version, own

    def view(self, above: Sequence[Block]) -> Block:
        return composer_view(self._draft, self._tone, self._context, above=above, version=self._version, own=self._own)

    async def say(self, sentence: str, *, again: bool = False) -> None:
        # The way to try again is the button that the composer has anyway.
        await self.show(notice(sentence))

    async def still_reading(self) -> None:
        await self.show(notice(wording.STILL_READING))

    async def show(self, answer: Answer) -> None:
        # The ack has a view in it, too: were Slack to read it after this one, it would replace it.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ack_read.wait(), ACK_READ_SECONDS)
        await self._slack.update_view(self._view_id, self.view(answer.blocks))

    def offers(self, seen: str, rewrite: Rewrite | None) -> tuple[list[list[Block]], list[str]]:
        return [[use_button()]] if rewrite and len(rewrite.plain) <= MAX_INPUT else [], []


class Nowhere:
    """For what has no place to answer in, a global shortcut whose modal did not open, or is worth no word."""

    async def say(self, sentence: str, *, again: bool = False) -> None:
        raise Undeliverable("nowhere")
