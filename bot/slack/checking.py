"""One check: what a person wrote goes to the screener, and its verdict to the place where they look."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bot.slack import wording
from bot.slack.angel import Angel
from bot.slack.blocks import Answer, verdict_answer
from bot.slack.buttons import Asked, Ballot
from bot.slack.delivery import Undeliverable
from bot.slack.places import VerdictPlace
from bot.slack.text import Origin, Written, cleaned, read
from bot.verdict import Draft, Label, Verdict

T = TypeVar("T")

SHORT = 1_000
"""Characters that are read and laid out in the loop: in about a millisecond, which a thread would cost, too."""


async def check(angel: Angel, place: VerdictPlace, asked: Asked, way_in: str, user: str, *, plain: bool = False) -> str:
    """Shows the verdict on what was asked; gives the outcome in one word.

    `plain`: the draft is text as it was typed, of which Slack made no entities. Raises what keeps it from a verdict.
    """
    written = await _apart(asked.draft, lambda: Written(cleaned(asked.draft)) if plain else read(asked.draft))
    draft = Draft(text=written.text, tone=asked.tone, context=asked.context, previous=asked.previous or None)
    began = time.monotonic()
    verdict = await _patiently(angel, place, draft, user)
    seconds = time.monotonic() - began
    ballot = Ballot.on(verdict, secrets.token_hex(4))
    if angel.recorder:
        name = angel.recorder.check(draft, verdict, seconds=seconds, way_in=way_in, user=user)
        ballot = replace(ballot, check=name or ballot.check)
    keeps_text = bool(angel.recorder and angel.recorder.keeps_text)
    answer = await _apart(
        draft.text + (verdict.rewrite or ""), lambda: answer_on(place, asked, written, verdict, ballot, keeps_text)
    )
    await place.show(answer)
    return f"{verdict.label}:{verdict.fallback}" if verdict.fallback else verdict.label.value


def answer_on(
    place: VerdictPlace, asked: Asked, written: Written, verdict: Verdict, ballot: Ballot, keeps_text: bool
) -> Answer:
    rewrite = written.restore(verdict.rewrite, verdict.lost, verdict.added) if verdict.rewrite else None
    if rewrite and not rewrite.hinted.strip():
        rewrite = None
    # Whoever checks somebody else's message can't give its words away.
    if keeps_text and asked.origin is not Origin.OTHERS:
        ballot = replace(ballot, draft=written.restore(written.text).plain)
    same = bool(rewrite and asked.previous and (verdict.rewrite or "").startswith(asked.previous))
    return verdict_answer(
        verdict,
        asked,
        written,
        rewrite,
        row=place.buttons(asked, verdict, rewrite),
        notes=[wording.SAME_AGAIN] if same else [],
        # There is no judgement to vote on where there is none.
        ballot=None if verdict.label is Label.UNREAD else ballot,
        gives_back=place.gives_back,
    )


async def _patiently(angel: Angel, place: VerdictPlace, draft: Draft, user: str) -> Verdict:
    """The verdict; where it takes long, the person is told once."""
    screening = asyncio.ensure_future(angel.screener.screen(draft, person=user))
    try:
        done, _ = await asyncio.wait({screening}, timeout=angel.patience)
        if not done:
            with contextlib.suppress(Undeliverable):
                await place.still_reading()
        return await screening
    finally:
        if not screening.cancel() and not screening.cancelled():
            screening.exception()  # looked at, so that asyncio does not print it


async def _apart(text: str, work: Callable[[], T]) -> T:
    """Done in a thread where the text is long, so that nobody else's ack waits for it."""
    return work() if len(text) <= SHORT else await asyncio.to_thread(work)
