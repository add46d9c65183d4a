"""Everything that a person can do with Angel in Slack, in one table: `LISTENERS`, at the end.

Each listener acks first; what takes time comes after. None of them trusts what a button carries before the ack.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.errors import DraftRejected
from bot.slack import wording
from bot.slack.angel import Angel, Recorder
from bot.slack.blocks import notice
from bot.slack.buttons import (
    ANOTHER_VERSION,
    EDIT_DRAFT,
    HELPFUL,
    KEEP_NOTHING,
    KEEP_TEXT,
    NOT_HELPFUL,
    PICK_TONE,
    USE_REWRITE,
    VOTE,
    Asked,
    picked_tone,
)
from bot.slack.checking import check
from bot.slack.delivery import Undeliverable
from bot.slack.home import CONNECT, DISCONNECT, HOME_TONE, NOT_NOW, OPEN_RULES, RULES, TRY
from bot.slack.home_tab import (
    disconnect,
    home_opened,
    open_rules,
    prefer_tone,
    revoked,
    save_rules,
    try_draft,
    uninstalled,
)
from bot.slack.in_flight import Place, log
from bot.slack.interaction import Interaction
from bot.slack.letters import CHANGE, SEND, SEND_ANYWAY
from bot.slack.modals import COMPOSER, View, composer_view, draft_block, shown_rewrite, typed, version_of
from bot.slack.places import Composer, Nowhere, Reply, VerdictModal
from bot.slack.send import change, connect, not_now, send
from bot.slack.text import Origin, read
from bot.slack.votes import keep, vote
from bot.verdict import Draft, Tone

TONES = {
    **{tone.value: tone for tone in Tone},
    "funny": Tone.PLAYFUL,
    "friendly": Tone.WARM,
    "kind": Tone.WARM,
    "formal": Tone.PROFESSIONAL,
    "polite": Tone.PROFESSIONAL,
    "short": Tone.BRIEF,
}
"""What people call a tone before the draft of a command."""
# In small letters and with a space, as in the help: "Brief: we lost them" and "funny:)" begin drafts.
_TONE_FIRST = re.compile(rf"({'|'.join(TONES)}):(?:\s+(.*))?", re.DOTALL)
_NO_TEXT_OF_ITS_OWN = ("", "This content can't be displayed.")


async def command(angel: Angel, did: Interaction) -> None:
    """`/angel`: a draft, `help`, or nothing."""
    await did.ack()
    text, tone = did.body.get("text", "").strip(), Tone.PLAYFUL
    if first := _TONE_FIRST.fullmatch(text):
        tone, text = TONES[first[1]], (first[2] or "").strip()
    helps = text.lower() == "help"
    asked = Asked("" if helps else text, tone, channel_id=did.channel_id, channel_name=did.channel_name)
    reply = Reply(angel.slack, did.response_url, asked)

    async def work() -> str:
        if helps:
            await reply.say(help_mrkdwn(angel.recorder, angel.offline_note))
            return "help"
        if text:
            return await check(angel, reply, await _in_their_tone(angel, did, asked, first), "command", did)
        return await _open(angel, did, await _composer(angel, did, asked), reply)

    await angel.in_flight.serve("command", did.trigger_id, reply, work)


async def check_message(angel: Angel, did: Interaction) -> None:
    """*Check with Angel* in the menu of a message."""
    await did.ack()
    message = did.body["message"]
    origin = Origin.SENT if message.get("user") == did.user else Origin.OTHERS
    asked = Asked(message.get("text") or "", origin=origin, channel_id=did.channel_id, ts=str(message.get("ts") or ""))
    reply = Reply(angel.slack, did.response_url, asked) if did.response_url else None
    modal = VerdictModal(angel.slack, asked, otherwise=reply)
    # The first message of a thread gets a modal, too: nobody can know whether it was picked in the channel or in the
    # thread, where an answer in the channel may be out of sight.
    place = modal if reply is None or "thread_ts" in message else reply

    async def work() -> str:
        if place is modal:
            await modal.open(did.trigger_id)
        if asked.draft.strip() in _NO_TEXT_OF_ITS_OWN:
            await place.say(wording.NO_TEXT)
            return "no_text"
        return await check(angel, place, asked, "check_message", did)

    await angel.in_flight.serve("check_message", did.trigger_id, place, work)


async def write(angel: Angel, did: Interaction) -> None:
    """*Write with Angel*: the composer."""
    await did.ack()

    async def work() -> str:
        return await _open(angel, did, await _composer(angel, did, Asked("")), Nowhere())

    await angel.in_flight.serve(
        "write_with_angel",
        did.trigger_id,
        Nowhere(),
        work,
    )


async def again(angel: Angel, did: Interaction) -> None:
    """Another version, in the tone that the menu beside the button shows."""
    await did.ack()
    asked = Asked.unpack(did.value)
    if asked and (tone := picked_tone(did.body)):
        # In another tone it is another rewrite anyway.
        asked = replace(asked, tone=tone, previous=asked.previous if tone is asked.tone else "")
    place = _where_pressed(angel, did, asked)

    async def work() -> str:
        if asked is None:
            return await _stale(place)
        return await check(angel, place, asked, "button", did)

    await angel.in_flight.serve("button", did.trigger_id, place, work)


async def edit(angel: Angel, did: Interaction) -> None:
    """The draft of an answer, in the composer."""
    await did.ack()
    asked = Asked.unpack(did.value)
    place = _where_pressed(angel, did, asked)

    async def work() -> str:
        # Somebody else's words, in a button of an older version, are not this person's to write on.
        if asked is None or asked.origin is Origin.OTHERS:
            return await _stale(place)
        written = read(asked.draft)
        view = composer_view(replace(asked, draft=written.restore(written.text).plain))
        if did.view is None:
            return await _open(angel, did, view, place)
        await angel.slack.update_view(did.view["id"], view)
        return "opened"

    await angel.in_flight.serve("button", did.trigger_id, place, work)


async def submit(angel: Angel, did: Interaction) -> None:
    """The composer's draft is to be checked."""
    view = did.view
    assert view is not None
    asked, version = typed(view), version_of(view)
    try:
        Draft(text=asked.draft, tone=asked.tone, context=asked.context)
    except DraftRejected as error:
        await did.ack(response_action="errors", errors={draft_block(version): str(error)})
        log("composer", "rejected", 0)
        return
    composer = Composer(angel.slack, view["id"], asked, version, ack_read=did.ack_read)
    await did.ack(response_action="update", view=composer.view(notice(wording.READING)))
    await angel.in_flight.serve(
        "composer",
        did.trigger_id,
        composer,
        # What is typed in an input is plain text; Slack makes no entities of it.
        lambda: check(angel, composer, asked, "composer", did, plain=True),
    )


async def use_rewrite(angel: Angel, did: Interaction) -> None:
    """The rewrite becomes the composer's draft."""
    await did.ack()
    view = did.view
    assert view is not None

    async def work() -> str:
        filled = replace(typed(view), draft=shown_rewrite(view))
        await angel.slack.update_view(view["id"], composer_view(filled, version=version_of(view) + 1))
        return "used"

    await angel.in_flight.serve("button", did.trigger_id, Nowhere(), work)


async def pick_tone(angel: Angel, did: Interaction) -> None:
    """A tone in the menu: the button beside it reads it there."""
    await did.ack()


async def reply_with_angel(angel: Angel, did: Interaction) -> None:
    """*Reply with Angel* in the menu of a message: the composer, for the thread of that message."""
    await did.ack()
    message = did.body["message"]
    asked = Asked("", channel_id=did.channel_id, thread_ts=str(message.get("thread_ts") or message["ts"]))
    place = Reply(angel.slack, did.response_url, asked) if did.response_url else Nowhere()

    async def work() -> str:
        return await _open(angel, did, await _composer(angel, did, asked), place)

    await angel.in_flight.serve("reply_with_angel", did.trigger_id, place, work)


async def _in_their_tone(angel: Angel, did: Interaction, asked: Asked, named: object) -> Asked:
    """In the tone that the person chose in the Home tab, where they named none."""
    if named or angel.store is None:
        return asked
    tone = (await angel.about(did.person)).choices.tone
    return replace(asked, tone=tone) if tone else asked


async def _composer(angel: Angel, did: Interaction, asked: Asked) -> View:
    """The composer as this person gets it: in their tone, and where they can send from it, with where to."""
    about = await angel.about(did.person)
    tone = about.choices.tone if about.choices.tone and asked.tone is Tone.PLAYFUL else asked.tone
    return composer_view(replace(asked, tone=tone, picks=about.connected and not asked.thread_ts))


async def _open(angel: Angel, did: Interaction, view: View, place: Place) -> str:
    try:
        await angel.slack.open_view(did.trigger_id, view)
    except Undeliverable:
        await place.say(wording.OPENED_LATE)
        return "late"
    return "opened"


async def _stale(place: Place) -> str:
    await place.say(wording.STALE_BUTTON)
    return "stale"


def _where_pressed(angel: Angel, did: Interaction, asked: Asked | None) -> Reply | VerdictModal:
    asked = asked or Asked("")
    if did.view:
        return VerdictModal(angel.slack, asked, view_id=did.view["id"])
    return Reply(angel.slack, did.response_url, asked, replaces=True)


def help_mrkdwn(recorder: Recorder | None, offline_note: str) -> str:
    """The help, with what becomes here of a person's words and votes."""
    if recorder is None:
        return wording.help_mrkdwn(wording.KEEPS_NOTHING, offline_note)
    return wording.help_mrkdwn(wording.KEEPS_TEXT if recorder.keeps_text else wording.KEEPS_NUMBERS, offline_note)


Listener = Callable[[Angel, Interaction], Awaitable[None]]

LISTENERS: dict[tuple[str, str], Listener] = {
    # what the payload is, and what it names
    ("slash_commands", "/angel"): command,
    ("message_action", "check_message"): check_message,
    ("message_action", "reply_with_angel"): reply_with_angel,
    ("shortcut", "write_with_angel"): write,
    ("view_submission", COMPOSER): submit,
    ("block_actions", ANOTHER_VERSION): again,
    ("block_actions", PICK_TONE): pick_tone,
    ("block_actions", EDIT_DRAFT): edit,
    ("block_actions", USE_REWRITE): use_rewrite,
    ("block_actions", VOTE): vote,
    ("block_actions", HELPFUL): vote,
    ("block_actions", NOT_HELPFUL): vote,
    ("block_actions", KEEP_TEXT): keep,
    ("block_actions", KEEP_NOTHING): keep,
    ("block_actions", SEND): send,
    ("block_actions", SEND_ANYWAY): send,
    ("block_actions", CHANGE): change,
    ("block_actions", CONNECT): connect,
    ("block_actions", NOT_NOW): not_now,
    ("block_actions", TRY): try_draft,
    ("block_actions", HOME_TONE): prefer_tone,
    ("block_actions", DISCONNECT): disconnect,
    ("block_actions", OPEN_RULES): open_rules,
    ("view_submission", RULES): save_rules,
    ("event", "app_home_opened"): home_opened,
    ("event", "app_uninstalled"): uninstalled,
    ("event", "tokens_revoked"): revoked,
}
