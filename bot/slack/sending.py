"""Sending as a person: once, to the conversation they saw, and what to say where it could not be done."""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.letters import Change, Letter
from bot.store.owners import Person
from bot.store.terms import SendState, StoreUnavailable

if TYPE_CHECKING:
    from bot.store.store import Store  # which imports the database; a worker without a store does without

TOKEN_IS_GONE = {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked", "missing_scope"}
"""What Slack says of a person's token that will not work again."""


class Sent(StrEnum):
    """How a press on "Send it" ended."""

    SENT = "sent"
    ALREADY = "already_sent"
    UNKNOWN = "unknown"
    """Slack was asked and did not say: it may be out, so it is never sent again."""
    REFUSED = "refused"
    NOT_CONNECTED = "not_connected"
    STORE_DOWN = "store_down"


@dataclass(frozen=True)
class Outcome:
    """`reason` is Slack's error code where it refused, and `seconds` the pause it asked for."""

    sent: Sent
    reason: str = ""
    seconds: int = 0


class Sender:
    """Sends and edits with people's own tokens, which the store keeps."""

    def __init__(self, store: "Store", client: AsyncWebClient) -> None:
        """`client` has no token of its own, and tries nothing again: what may be out is not sent twice."""
        self._store = store
        self._client = client

    async def send(self, person: Person, letter: Letter) -> Outcome:
        """Sends the letter under the person's name, if no press before this one did."""
        try:
            token = await self._store.tokens.of_person(person)
            if token is None:
                return Outcome(Sent.NOT_CONNECTED)
            before = await self._store.sends.begin(letter.answer, person.workspace)
        except StoreUnavailable:
            return Outcome(Sent.STORE_DOWN)
        if before is not None:
            return Outcome(Sent.ALREADY if before is SendState.SENT else Sent.UNKNOWN)
        outcome = await self._ask(
            person,
            self._client.chat_postMessage(
                token=token,
                channel=letter.channel_id,
                text=letter.text,
                thread_ts=letter.thread_ts,
                # Names and channels that are only typed stay words; what is a link by hand is one here, too.
                link_names=False,
                parse="none",
            ),
        )
        # Where the store is gone by now, its ledger keeps "sending", which is never sent again.
        with contextlib.suppress(StoreUnavailable):
            if outcome.sent is Sent.SENT:
                await self._store.sends.sent(letter.answer)
            elif outcome.sent in (Sent.REFUSED, Sent.NOT_CONNECTED):
                await self._store.sends.not_sent(letter.answer)
        return outcome

    async def change(self, person: Person, change: Change) -> Outcome:
        """Changes the person's own message. Changing it twice to the same words does no harm, so there is no ledger."""
        try:
            token = await self._store.tokens.of_person(person)
        except StoreUnavailable:
            return Outcome(Sent.STORE_DOWN)
        if token is None:
            return Outcome(Sent.NOT_CONNECTED)
        return await self._ask(
            person,
            self._client.chat_update(
                token=token,
                channel=change.channel_id,
                ts=change.ts,
                text=change.text,
                blocks=[],  # a message typed by hand has blocks of its own, which would stand on
                parse="none",
            ),
        )

    async def disconnect(self, person: Person) -> None:
        """Revokes the person's token at Slack and forgets it. Raises StoreUnavailable, having revoked nothing."""
        token = await self._store.tokens.of_person(person)
        await self._store.tokens.forget_person(person)
        if token is not None:
            # A token that Slack can't be asked about just now is known to nobody any more.
            await self._ask(person, self._client.auth_revoke(token=token))

    async def _ask(self, person: Person, call: Any) -> Outcome:
        try:
            await call
        except SlackApiError as error:
            return await self._refused(person, error)
        except aiohttp.ClientConnectorError:
            return Outcome(Sent.REFUSED, "unreachable")  # no connection, so nothing was asked
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError):
            return Outcome(Sent.UNKNOWN)
        return Outcome(Sent.SENT)

    async def _refused(self, person: Person, error: SlackApiError) -> Outcome:
        # The SDK gives its own response, or aiohttp's where the body was no JSON.
        status = getattr(error.response, "status_code", None) or getattr(error.response, "status", None) or 0
        data = getattr(error.response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == 429 or code in ("ratelimited", "rate_limited"):
            after = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
            return Outcome(Sent.REFUSED, "ratelimited", int(after) if after.isdecimal() else 0)
        if status >= 500 or not code:
            return Outcome(Sent.UNKNOWN)
        if code in TOKEN_IS_GONE:
            # It does not work any more, whether or not it is still there.
            with contextlib.suppress(StoreUnavailable):
                await self._store.tokens.forget_person(person)
            return Outcome(Sent.NOT_CONNECTED, code)
        return Outcome(Sent.REFUSED, code)
