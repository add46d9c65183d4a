"""What each command, shortcut, button and form does. Each acks first; what takes time comes after."""

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from bot.errors import DraftRejected
from bot.slack import wording
from bot.slack.blocks import Block, notice, verdict_answer
from bot.slack.buttons import ANOTHER_VERSION, HELPFUL, KEEP_TEXT, TONE_PREFIX, Asked, Checked, keep_buttons
from bot.slack.delivery import SlackClient, Undeliverable
from bot.slack.in_flight import InFlight, Place, log
from bot.slack.modals import began, composer_view, draft_block, shown_rewrite, typed, view_after_vote
from bot.slack.places import Composer, Nowhere, Reply, VerdictModal, VerdictPlace
from bot.slack.text import Written, cleaned, read
from bot.verdict import Draft, Label, Tone, Verdict

Body = dict[str, Any]

ACK_READ = "ack_read"
"""In the context of a request: an event for when Slack has read its ack, set by whoever sends it."""

_TONE_PREFIX = re.compile(rf"\s*({'|'.join(Tone)})\s*:(.*)", re.IGNORECASE | re.DOTALL)
_NO_TEXT_OF_ITS_OWN = ("", "This content can't be displayed.")


class Screener(Protocol):
    async def screen(self, draft: Draft) -> Verdict: ...


class Recorder(Protocol):
    """Brings checks and votes to where they are kept. Nothing of it waits, and nothing raises.

    `keeps_text` says whether a person may be asked to give the text of a draft with a vote.
    """

    @property
    def keeps_text(self) -> bool: ...

    def check(self, draft: Draft, verdict: Verdict, *, seconds: float, way_in: str, user: str) -> str:
        """Returns the name under which a vote finds it."""

    def vote(self, check: str, *, helpful: bool, user: str) -> None: ...

    def keep_text(self, check: str, text: str, *, user: str) -> None: ...


class Listeners:
    """`offline_note` is one line on what the offline check misses; `patience` is in seconds, `now` since the epoch.

    Without a `recorder` a vote is a line in the log.
    """

    def __init__(
        self,
        screener: Screener,
        slack: SlackClient,
        in_flight: InFlight,
        *,
        recorder: Recorder | None = None,
        offline_note: str,
        patience: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._screener = screener
        self._recorder = recorder
        self._slack = slack
        self._in_flight = in_flight
        self._offline_note = offline_note
        self._patience = patience
        self._now = now

    async def command(self, ack: AsyncAck, body: Body) -> None:
        """`/angel`: a draft, `help`, or nothing."""
        await ack()
        text, tone = body.get("text", "").strip(), Tone.PLAYFUL
        if prefix := _TONE_PREFIX.fullmatch(text):
            tone, text = Tone(prefix[1].lower()), prefix[2].strip()
        asked = Asked(text, tone, own=True)
        reply = self._reply(body["response_url"], asked)

        async def work() -> str:
            if text.lower() == "help":
                await reply.say(help_text(self._recorder))
                return "help"
            if text:
                return await self._check(reply, read(text), asked, "command", body["user_id"])
            return await self._open(body["trigger_id"], composer_view(tone=tone), reply)

        await self._in_flight.serve("command", body["trigger_id"], reply, work)

    async def check_message(self, ack: AsyncAck, body: Body) -> None:
        """*Check with Angel* in the menu of a message."""
        await ack()
        message, response_url = body["message"], body.get("response_url")
        asked = Asked(message.get("text") or "", own=message.get("user") == body["user"]["id"])
        in_thread = message.get("thread_ts", message["ts"]) != message["ts"]
        modal = VerdictModal(self._slack, asked)
        reply = self._reply(response_url, asked) if response_url else None

        async def check(place: VerdictPlace) -> str:
            if asked.draft.strip() in _NO_TEXT_OF_ITS_OWN:
                await place.say(wording.NO_TEXT)
                return "no_text"
            return await self._check(place, read(asked.draft), asked, "check_message", body["user"]["id"])

        async def work() -> str:
            if reply and not in_thread:
                return await check(reply)
            try:
                await modal.open(body["trigger_id"])
            except Undeliverable:
                if reply is None:
                    raise
                return await self._in_flight.answer(reply, lambda: check(reply))
            return await check(modal)

        place = reply if reply and not in_thread else modal
        await self._in_flight.serve("check_message", body["trigger_id"], place, work)

    async def write(self, ack: AsyncAck, body: Body) -> None:
        """*Write with Angel*: the composer."""
        await ack()
        nowhere = Nowhere()

        async def work() -> str:
            return await self._open(body["trigger_id"], composer_view(), nowhere)

        await self._in_flight.serve("write_with_angel", body["trigger_id"], nowhere, work)

    async def again(self, ack: AsyncAck, body: Body) -> None:
        """Another version, in the same tone or another."""
        await ack()
        action = body["actions"][0]
        asked = Asked.unpack(action["value"])
        if action["action_id"].startswith(TONE_PREFIX):
            asked = replace(asked, tone=Tone(action["action_id"].removeprefix(TONE_PREFIX)))
        written = read(asked.draft)
        seen = asked.seen if action["action_id"] == ANOTHER_VERSION else ""

        async def check(place: VerdictPlace) -> str:
            return await self._check(place, written, asked, "button", body["user"]["id"], seen)

        if "view" in body:
            modal = VerdictModal(self._slack, asked, body["view"]["id"])
            await self._in_flight.serve("button", body["trigger_id"], modal, lambda: check(modal))
            return
        reply = self._reply(body["response_url"], asked, replaces=True)

        async def work() -> str:
            if not reply.closed:
                return await check(reply)
            return await self._open(body["trigger_id"], self._composer_of(asked, above=wording.FROM_BEFORE), reply)

        await self._in_flight.serve("button", body["trigger_id"], reply, work)

    async def edit(self, ack: AsyncAck, body: Body) -> None:
        """The draft of an answer, in the composer."""
        await ack()
        asked = Asked.unpack(body["actions"][0]["value"])
        view = self._composer_of(asked)
        place = Nowhere() if "view" in body else self._reply(body["response_url"], asked)

        async def work() -> str:
            if "view" not in body:
                return await self._open(body["trigger_id"], view, place)
            await self._slack.update_view(body["view"]["id"], view)
            return "opened"

        await self._in_flight.serve("button", body["trigger_id"], place, work)

    async def submit(self, ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        """The composer's draft is to be checked."""
        view = body["view"]
        text, tone, about = typed(view)
        version, own = began(view)
        try:
            Draft(text=text, tone=tone, context=about)
        except DraftRejected as error:
            await ack(response_action="errors", errors={draft_block(version): str(error)})
            log("composer", "rejected", 0)
            return
        composer = Composer(
            self._slack,
            view["id"],
            text,
            tone,
            about,
            version,
            own=own,
            ack_read=context.get(ACK_READ) or asyncio.Event(),
        )
        await ack(response_action="update", view=composer.view(notice(wording.READING).blocks))
        await self._in_flight.serve(
            "composer",
            body["trigger_id"],
            composer,
            # What is typed in an input is plain text; Slack makes no entities of it.
            lambda: self._check(
                composer, Written(cleaned(text)), Asked(text, tone, about, own=own), "composer", body["user"]["id"]
            ),
        )

    async def use_rewrite(self, ack: AsyncAck, body: Body) -> None:
        """The rewrite becomes the composer's draft."""
        await ack()
        view = body["view"]
        _, tone, context = typed(view)
        version, own = began(view)
        filled = composer_view(shown_rewrite(view["blocks"]), tone, context, version=version + 1, own=own)

        async def work() -> str:
            await self._slack.update_view(view["id"], filled)
            return "used"

        await self._in_flight.serve("button", body["trigger_id"], Nowhere(), work)

    async def vote(self, ack: AsyncAck, body: Body) -> None:
        """Whether an answer was helpful."""
        await ack()
        action = body["actions"][0]
        checked, helpful = Checked.unpack(action["value"]), action["action_id"] == HELPFUL

        async def work() -> str:
            if self._recorder:
                self._recorder.vote(checked.check, helpful=helpful, user=body["user"]["id"])
            if checked.draft and self._recorder and self._recorder.keeps_text:
                await self._thank(body, wording.MAY_I_KEEP_IT, keep_buttons(checked))
            else:
                await self._thank(body, wording.NOTED)
            return "up" if helpful else "down"

        await self._in_flight.serve(
            "vote",
            body["trigger_id"],
            Nowhere(),
            work,
            label=checked.label,
            model=checked.model,
            version=checked.version,
        )

    async def keep(self, ack: AsyncAck, body: Body) -> None:
        """Whether the draft of an answer may be kept with a vote."""
        await ack()
        action = body["actions"][0]

        async def work() -> str:
            if action["action_id"] != KEEP_TEXT:
                await self._thank(body, wording.NOT_KEPT, replaces=True)
                return "declined"
            if self._recorder is None or not self._recorder.keeps_text:
                await self._thank(body, wording.NO_LONGER_KEPT, replaces=True)
                return "not_kept"
            checked = Checked.unpack(action["value"])
            self._recorder.keep_text(checked.check, checked.draft, user=body["user"]["id"])
            await self._thank(body, wording.KEPT, replaces=True)
            return "kept"

        await self._in_flight.serve("keep_text", body["trigger_id"], Nowhere(), work)

    async def _thank(self, body: Body, said: str, buttons: Sequence[Block] = (), *, replaces: bool = False) -> None:
        """A word on a vote, beside the answer or where the votes stood. An answer too old for one goes without."""
        with contextlib.suppress(Undeliverable):
            if view := body.get("view"):
                await self._slack.update_view(view["id"], view_after_vote(view, said, buttons), seen=view["hash"])
            else:
                answer = notice(said, buttons=[buttons] if buttons else ())
                await self._slack.respond(body["response_url"], answer, replace=replaces)

    async def _open(self, trigger_id: str, view: Body, place: Place) -> str:
        try:
            await self._slack.open_view(trigger_id, view)
        except Undeliverable:
            await place.say(wording.OPENED_LATE)
            return "late"
        return "opened"

    async def _check(
        self, place: VerdictPlace, written: Written, asked: Asked, way_in: str, user: str, seen: str = ""
    ) -> str:
        draft = Draft(text=written.text, tone=asked.tone, context=asked.context)
        began = time.monotonic()
        verdict = await self._patiently(place, draft)
        name, asks = "", False
        if self._recorder:
            seconds = time.monotonic() - began
            name = self._recorder.check(draft, verdict, seconds=seconds, way_in=way_in, user=user)
            # Whoever checks somebody else's message can't give its words away.
            asks = self._recorder.keeps_text and asked.own
        checked = Checked.of(verdict, name, written.restore(written.text).plain if asks else "")
        rewrite = written.restore(verdict.rewrite) if verdict.rewrite else None
        digest = hashlib.sha256(rewrite.mrkdwn.encode()).hexdigest()[:8] if rewrite else ""
        rows, notes = place.offers(digest, rewrite) if verdict.label is Label.CAUTION else ([], [])
        if rewrite and digest == seen:
            notes = [wording.SAME_AGAIN, *notes]
        await place.show(
            verdict_answer(
                verdict, written, offline_note=self._offline_note, buttons=rows, notes=notes, checked=checked
            )
        )
        return f"{verdict.label}:{verdict.fallback}" if verdict.fallback else verdict.label.value

    async def _patiently(self, place: VerdictPlace, draft: Draft) -> Verdict:
        """The verdict; where it takes long, the person is told once."""
        screening = asyncio.ensure_future(self._screener.screen(draft))
        try:
            done, _ = await asyncio.wait({screening}, timeout=self._patience)
            if not done:
                with contextlib.suppress(Undeliverable):
                    await place.still_reading()
            return await screening
        finally:
            if not screening.cancel() and not screening.cancelled():
                screening.exception()  # looked at, so that asyncio does not print it

    def _reply(self, response_url: str, asked: Asked, *, replaces: bool = False) -> Reply:
        return Reply(self._slack, response_url, asked, now=self._now, replaces=replaces)

    def _composer_of(self, asked: Asked, above: str = "") -> Body:
        written = read(asked.draft)
        draft = written.restore(written.text).plain
        return composer_view(
            draft, asked.tone, asked.context, above=notice(above).blocks if above else (), own=asked.own
        )


def help_text(recorder: Recorder | None) -> str:
    """What Angel does, in five lines, with what becomes of a person's words and votes."""
    if recorder is None:
        return wording.HELP_MRKDWN.format(privacy=wording.KEEPS_NOTHING)
    return wording.HELP_MRKDWN.format(privacy=wording.KEEPS_TEXT if recorder.keeps_text else wording.KEEPS_NUMBERS)
