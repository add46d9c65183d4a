"""Getting an answer to Slack: tried again within bounds, its status looked at."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.blocks import Answer, Block
from bot.slack.quiet import quiet

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before each further attempt, unless Slack asks for more."""
MAX_RETRY_AFTER = 10
"""Seconds. Slack asking for a longer pause means that this answer won't get there while anybody waits for it."""


class Undeliverable(Exception):
    """Slack did not take it. `reason` is Slack's error code, an HTTP status or the kind of the failure."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _TryAgain(Exception):
    def __init__(self, reason: str, after: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class SlackClient:
    """Answers through a `response_url` and opens and changes views. Every method raises Undeliverable.

    `timeout` is for one attempt, in seconds. The SDK's own retry handlers are left out: for a `response_url` they are
    asked about a 429 or a broken connection only, not about a 5xx, and a time-out is nothing to them.
    """

    def __init__(
        self, *, bot_token: str, slack_url: str, timeout: float = 10, pauses: tuple[float, ...] = PAUSES
    ) -> None:
        self._timeout = timeout
        self._pauses = pauses
        self._client = AsyncWebClient(
            token=bot_token,
            base_url=slack_url,
            timeout=timeout,  # type: ignore[arg-type]  # it goes to aiohttp, which takes fractions of a second
            logger=quiet(),
            retry_handlers=[],
        )

    async def respond(self, response_url: str, answer: Answer, *, replace: bool) -> None:
        """One use of the `response_url`: a message that only the person who asked can see."""
        client = AsyncWebhookClient(
            response_url,
            timeout=self._timeout,  # type: ignore[arg-type]  # as above
            logger=quiet(),
            retry_handlers=[],
        )
        body: dict[str, Any] = {
            "response_type": "ephemeral",
            "replace_original": replace,
            "text": answer.text,
            "blocks": list(answer.blocks),
            "unfurl_links": False,
            "unfurl_media": False,
        }

        async def attempt() -> None:
            response = await client.send_dict(body)
            if response.status_code != 200:
                if "blocks" in response.body and body.pop("blocks", None):
                    # Something in them that Slack does not take: the words alone are better than silence.
                    raise _TryAgain(str(response.status_code))
                raise _failure(response.status_code, response.headers, str(response.status_code))

        await self._persist(attempt)

    async def open_view(self, trigger_id: str, view: Block) -> str:
        """The id of the new modal."""
        return await self._view(lambda: self._client.views_open(trigger_id=trigger_id, view=view))

    async def update_view(self, view_id: str, view: Block, *, seen: str | None = None) -> None:
        """With `seen`, the hash of the view as a person saw it, only if it still is that one."""
        await self._view(lambda: self._client.views_update(view_id=view_id, view=view, hash=seen))

    async def _view(self, call: Callable[[], Awaitable[Any]]) -> str:
        async def attempt() -> str:
            try:
                response = await call()
            except SlackApiError as error:
                # The SDK gives its own response, or aiohttp's where the body was no JSON.
                status = getattr(error.response, "status_code", None) or getattr(error.response, "status", None) or 0
                data = getattr(error.response, "data", None)
                code = data.get("error") if isinstance(data, dict) else None
                raise _failure(status, getattr(error.response, "headers", {}), str(code or status)) from error
            return str(response["view"]["id"])

        return await self._persist(attempt)

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for pause in (*self._pauses, None):
            try:
                return await attempt()
            except _TryAgain as trouble:
                if pause is None or trouble.after > MAX_RETRY_AFTER:
                    raise Undeliverable(trouble.reason) from trouble
                await asyncio.sleep(max(pause, trouble.after))
            except (aiohttp.ClientError, TimeoutError) as error:
                if pause is None:
                    raise Undeliverable(type(error).__name__) from error
                await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def _failure(status: int, headers: Mapping[str, str], reason: str) -> Exception:
    if status != 429 and status < 500:
        return Undeliverable(reason)
    after = next((value for name, value in headers.items() if name.lower() == "retry-after"), "0")
    return _TryAgain(reason, float(after) if after.isdigit() else 0)
