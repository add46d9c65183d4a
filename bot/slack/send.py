"""What the buttons that send, change and connect do."""

import contextlib
from collections.abc import Sequence

from bot.slack import wording
from bot.slack.angel import Angel
from bot.slack.blocks import Answer, notice
from bot.slack.buttons import Asked, Element
from bot.slack.home import connect_button
from bot.slack.interaction import Interaction
from bot.slack.letters import SEND_ANYWAY, Change, Letter, change_button, send_button
from bot.slack.places import Nowhere, Reply, VerdictModal
from bot.slack.sending import Outcome, Sent
from bot.slack.text import read
from bot.store.terms import StoreUnavailable

PRESS_AGAIN = {"ratelimited", "unreachable"}
"""Refusals after which the same press may succeed."""


async def send(angel: Angel, did: Interaction) -> None:
    """**Send it**, after the confirmation that names where it goes."""
    await did.ack()
    letter = Letter.unpack(did.value)
    place = where_pressed(angel, did)

    async def work() -> str:
        if letter is None:
            await place.say(wording.STALE_BUTTON)
            return "stale"
        if angel.sender is None:
            outcome = Outcome(Sent.NOT_CONNECTED)
        else:
            outcome = await angel.sender.send(did.person, letter)
        again = [send_button(letter, anyway=did.action_id == SEND_ANYWAY)] if outcome.reason in PRESS_AGAIN else []
        await place.show(_said(angel, did, outcome, letter.text, wording.SENT, again))
        return _word(outcome)

    await angel.in_flight.serve("send", did.trigger_id, place, work)


async def change(angel: Angel, did: Interaction) -> None:
    """**Change my message to this**, and putting the old words back."""
    await did.ack()
    wanted = Change.unpack(did.value)
    place = where_pressed(angel, did)

    async def work() -> str:
        if wanted is None:
            await place.say(wording.STALE_BUTTON)
            return "stale"
        if angel.sender is None:
            outcome = Outcome(Sent.NOT_CONNECTED)
        else:
            outcome = await angel.sender.change(did.person, wanted)
        if outcome.sent is Sent.SENT:
            undo = [change_button(wanted.undone, undo=True)]
            await place.show(notice(wording.CHANGED, row=undo, back=read(wanted.before)))
        else:
            again = [change_button(wanted)] if outcome.reason in PRESS_AGAIN else []
            await place.show(_said(angel, did, outcome, wanted.text, "", again))
        return _word(outcome)

    await angel.in_flight.serve("change", did.trigger_id, place, work)


async def connect(angel: Angel, did: Interaction) -> None:
    """**Connect to send as me** leads to the browser; Slack tells of the press all the same."""
    await did.ack()


async def not_now(angel: Angel, did: Interaction) -> None:
    """**Not now** is for good."""
    await did.ack()
    place = Reply(angel.slack, did.response_url, Asked("")) if did.response_url else Nowhere()

    async def work() -> str:
        if angel.store is None:
            return "nothing"
        choices = (await angel.about(did.person)).choices
        with contextlib.suppress(StoreUnavailable):
            await angel.store.choices.put_person(did.person, choices.model_copy(update={"hides_connect": True}))
        if did.response_url:
            await place.say(wording.NOT_NOW_SAID)
        return "hidden"

    await angel.in_flight.serve("not_now", did.trigger_id, place, work)


def where_pressed(angel: Angel, did: Interaction) -> Reply | VerdictModal:
    """The answer that the button is on, to be replaced."""
    if did.view:
        return VerdictModal(angel.slack, Asked(""), view_id=did.view["id"])
    return Reply(angel.slack, did.response_url, Asked(""), replaces=True)


def _said(angel: Angel, did: Interaction, outcome: Outcome, text: str, done: str, again: Sequence[Element]) -> Answer:
    """What became of it; unless it is out, with the words to copy."""
    words = read(text)
    if outcome.sent is Sent.SENT:
        return notice(done)
    if outcome.sent is Sent.ALREADY:
        return notice(wording.ALREADY_SENT)
    if outcome.sent is Sent.UNKNOWN:
        return notice(wording.UNKNOWN, back=words)
    if outcome.sent is Sent.STORE_DOWN:
        return notice(wording.STORE_DOWN, back=words)
    if outcome.sent is Sent.NOT_CONNECTED:
        row = [connect_button(angel.connect_link(did.person))] if angel.connect_link else []
        return notice(wording.NOT_CONNECTED, row=row, back=words)
    return notice(wording.refused(outcome.reason, outcome.seconds), row=again, back=words)


def _word(outcome: Outcome) -> str:
    return f"{outcome.sent}:{outcome.reason}" if outcome.reason else outcome.sent.value
