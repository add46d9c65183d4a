"""Votes on answers: one a person and answer, which can be changed, and the draft with it where its author says so."""

import contextlib
from collections.abc import Sequence

from bot.slack import wording
from bot.slack.angel import Angel
from bot.slack.blocks import notice
from bot.slack.buttons import HELPFUL, KEEP_TEXT, NOT_HELPFUL, Ballot, Element, keep_buttons
from bot.slack.delivery import Undeliverable
from bot.slack.interaction import Interaction
from bot.slack.modals import view_after_vote
from bot.slack.places import Nowhere


async def vote(angel: Angel, did: Interaction) -> None:
    """Whether an answer was helpful."""
    await did.ack()
    ballot = Ballot.unpack(did.value)
    labels = {} if ballot is None else {"label": ballot.label, "model": ballot.model, "version": ballot.version}

    async def work() -> str:
        if ballot is None:
            return "unreadable"
        helpful = {HELPFUL: True, NOT_HELPFUL: False}.get(did.action_id, ballot.helpful)
        before = angel.votes.cast(did.user, ballot.check, helpful)
        if before == helpful:
            return "same"
        if angel.recorder:
            angel.recorder.vote(ballot.check, helpful=helpful, user=did.user)
            if ballot.draft and before is None and angel.recorder.keeps_text:
                await _say(angel, did, wording.MAY_I_KEEP_IT, keep_buttons(ballot))
        return "up" if helpful else "down"

    await angel.in_flight.serve("vote", did.trigger_id, Nowhere(), work, **labels)


async def keep(angel: Angel, did: Interaction) -> None:
    """Whether the draft of an answer may be kept with a vote."""
    await did.ack()

    async def work() -> str:
        if did.action_id != KEEP_TEXT:
            await _say(angel, did, wording.NOT_KEPT)
            return "declined"
        ballot = Ballot.unpack(did.value)
        if ballot is None or angel.recorder is None or not angel.recorder.keeps_text:
            await _say(angel, did, wording.NO_LONGER_KEPT)
            return "not_kept"
        angel.recorder.keep_text(ballot.check, ballot.draft, user=did.user)
        await _say(angel, did, wording.KEPT)
        return "kept"

    await angel.in_flight.serve("keep_text", did.trigger_id, Nowhere(), work)


async def _say(angel: Angel, did: Interaction, said: str, buttons: Sequence[Element] = ()) -> None:
    """A question beside the answer or where the votes stood, and what is said to its answer in its place.

    An answer too old for that goes without.
    """
    with contextlib.suppress(Undeliverable):
        if view := did.view:
            await angel.slack.update_view(view["id"], view_after_vote(view, said, buttons), seen=view["hash"])
        else:
            await angel.slack.respond(did.response_url, notice(said, row=buttons), replace=not buttons)
