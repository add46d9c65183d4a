"""One check: what a person wrote goes to the screener, and its verdict to the place where they look."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

from bot.slack import wording
from bot.slack.angel import Angel
from bot.slack.blocks import Answer, verdict_answer
from bot.slack.buttons import EDIT_DRAFT, Asked, Ballot, Element
from bot.slack.delivery import Undeliverable
from bot.slack.interaction import Interaction
from bot.slack.letters import connect_offer, send_buttons
from bot.slack.places import VerdictPlace, apart
from bot.slack.text import Origin, Written, cleaned, read
from bot.store.terms import About, StoreUnavailable
from bot.verdict import MAX_CONTEXT, Draft, Label, Verdict


async def check(
    angel: Angel, place: VerdictPlace, asked: Asked, way_in: str, did: Interaction, *, plain: bool = False
) -> str:
    """Shows the verdict on what was asked; gives the outcome in one word.

    `plain`: the draft is text as it was typed, of which Slack made no entities. Raises what keeps it from a verdict.
    """
    about = await angel.about(did.person)
    if not about.rules.admits(channel_id=asked.channel_id or None, user_id=did.user):
        await place.say(wording.NOT_HERE)
        return "not_here"
    written = await apart(asked.draft, lambda: Written(cleaned(asked.draft)) if plain else read(asked.draft))
    context = with_house_style(asked.context, about.rules.house_style)
    draft = Draft(text=written.text, tone=asked.tone, context=context, previous=asked.previous or None)
    began = time.monotonic()
    verdict = await _patiently(angel, place, draft, did.user)
    seconds = time.monotonic() - began
    ballot = Ballot.on(verdict, secrets.token_hex(4))
    if angel.recorder:
        name = angel.recorder.check(draft, verdict, seconds=seconds, way_in=way_in, user=did.user)
        ballot = replace(ballot, check=name or ballot.check)
    keeps_text = bool(angel.recorder and angel.recorder.keeps_text)
    offer = await _offer(angel, about, did, asked)
    answer = await apart(
        draft.text + (verdict.rewrite or ""),
        lambda: answer_on(place, asked, written, verdict, ballot, keeps_text, about.connected, offer),
    )
    await place.show(answer)
    return f"{verdict.label}:{verdict.fallback}" if verdict.fallback else verdict.label.value


def answer_on(
    place: VerdictPlace,
    asked: Asked,
    written: Written,
    verdict: Verdict,
    ballot: Ballot,
    keeps_text: bool,
    connected: bool = False,
    offer: Sequence[Element] = (),
) -> Answer:
    rewrite = written.restore(verdict.rewrite, verdict.lost, verdict.added) if verdict.rewrite else None
    if rewrite and not rewrite.hinted.strip():
        rewrite = None
    # Whoever checks somebody else's message can't give its words away.
    if keeps_text and asked.origin is not Origin.OTHERS:
        ballot = replace(ballot, draft=written.restore(written.text).plain)
    sends = send_buttons(asked, written, verdict, rewrite, ballot.check) if connected else []
    same = bool(rewrite and asked.previous and (verdict.rewrite or "").startswith(asked.previous))
    return verdict_answer(
        verdict,
        asked,
        written,
        rewrite,
        row=_row(place.buttons(asked, verdict, rewrite), sends),
        offer=offer,
        notes=[wording.SAME_AGAIN] if same else [],
        # There is no judgement to vote on where there is none.
        ballot=None if verdict.label is Label.UNREAD else ballot,
        gives_back=place.gives_back,
    )


def with_house_style(context: str | None, house_style: str) -> str | None:
    """A line of context that has the workspace's house style behind what the author said, as far as there is room."""
    if not house_style:
        return context
    line = wording.house_style(house_style)
    if context is None:
        return line[:MAX_CONTEXT]
    return f"{context[: MAX_CONTEXT - len(line) - 1]} {line}"[:MAX_CONTEXT]


def _row(buttons: list[Element], sends: list[Element]) -> list[Element]:
    """Who can send is not offered to edit: the words are sent from here."""
    if not sends:
        return buttons
    first, *quieter = sends
    return [first, *(button for button in buttons if button.get("action_id") != EDIT_DRAFT), *quieter]


async def _offer(angel: Angel, about: About, did: Interaction, asked: Asked) -> list[Element]:
    """The offer to connect, once for each person who may."""
    may = angel.store is not None and angel.connect_link is not None and asked.origin is not Origin.OTHERS
    if not may or about.connected or about.choices.hides_connect or not about.rules.lets_connect(did.user):
        return []
    assert angel.store is not None
    assert angel.connect_link is not None
    try:
        await angel.store.choices.put_person(did.person, about.choices.model_copy(update={"hides_connect": True}))
    except StoreUnavailable:
        return []  # nobody could connect either
    return connect_offer(angel.connect_link(did.person))


async def _patiently(angel: Angel, place: VerdictPlace, draft: Draft, user: str) -> Verdict:
    """The verdict; where it takes long, the person is told once."""
    screening = asyncio.ensure_future(angel.screener.screen(draft, person=user))
    try:
        done, _ = await asyncio.wait({screening}, timeout=angel.patience)
        if not done:
            with contextlib.suppress(Undeliverable):
                await place.still_reading()
        verdict = await screening
        counted = {"tokens_in": verdict.input_tokens, "tokens_out": verdict.output_tokens}
        angel.in_flight.note(
            model=verdict.model,
            version=verdict.version or "-",
            chars=str(len(draft.text)),
            **{name: str(count) for name, count in counted.items() if count is not None},
        )
        return verdict
    finally:
        if not screening.cancel() and not screening.cancelled():
            screening.exception()  # looked at, so that asyncio does not print it
