"""Getting an answer to Slack: tried again within bounds, its status looked at."""

import copy
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import tenacity
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import AngelError
from bot.slack.blocks import Answer, Block
from bot.slack.quiet import quiet

T = TypeVar("T")

SLACK_URL = "https://slack.com/api/"
PAUSES = (0.5, 1.0, 2.0)
"""Seconds before each further attempt, unless Slack asks for more."""
MAX_RETRY_AFTER = 10
"""Seconds. Slack asking for a longer pause means that this answer won't get there while anybody waits for it."""
GONE = {
    "expired_trigger_id",
    "exchanged_trigger_id",
    "trigger_exchanged",
    "hash_conflict",
    "not_found",
    "view_not_found",
}
"""What Slack says where the place is gone, so that nothing else would fit there either."""


KEPT_SECONDS = 60.0
"""How long a connection to Slack is kept unused. A new one costs three ways to Slack and back, and a handshake."""
CONNECTIONS = 50
"""To Slack at once; in a crowd, answers wait their turn."""


# A response_url is at hooks.slack.com, GovSlack's at hooks.slack-gov.com. The whole of an address is looked at, since
# two parsers may differ on where the host of an odd one ends.
_AT_SLACK = re.compile(r"https://(?:[a-z0-9-]+\.)*slack(?:-gov)?\.com/[!-~]*")


class Undeliverable(Exception):
    """Slack did not take it. `reason` is Slack's error code, an HTTP status or the kind of the failure."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Undeliverable):
    """Slack answered that it won't take this; it may take something plainer."""


class _TryAgain(Undeliverable):
    """`after` as many seconds, or when we like."""

    def __init__(self, reason: str, after: float = 0) -> None:
        super().__init__(reason)
        self.after = after


class SlackClient:
    """Answers through a `response_url` and opens and changes views. Every method raises Undeliverable.

    Entered, it keeps its connections to Slack until it is left; `timeout` is for one attempt, in seconds. The SDK's own
    retry handlers are left out: a 5xx and a time-out are nothing to them.
    """

    def __init__(
        self, *, bot_token: str, slack_url: str = SLACK_URL, timeout: float = 10, pauses: tuple[float, ...] = PAUSES
    ) -> None:
        self._slack_url = slack_url
        self._token = _always(bot_token)
        self._timeout = timeout
        self._pauses = pauses
        self._client = AsyncWebClient(base_url=slack_url, logger=quiet(), retry_handlers=[])

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEPT_SECONDS),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
        )
        self._client.session = self._session
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()

    def with_token(self, token: Callable[[], Awaitable[str]]) -> "SlackClient":
        """The same over the same connections, with a token that is asked for when it is needed.

        Nothing that comes before an ack needs one, nor does an answer through a `response_url`.
        """
        client = copy.copy(self)
        client._token = token
        return client

    async def respond(self, response_url: str, answer: Answer, *, replace: bool, persist: bool = True) -> None:
        """One use of the `response_url`: a message that only the person who asked can see.

        `replace` is for the `response_url` of a button: through others Slack adds a message all the same. Without
        `persist` it is tried once. An address that is not Slack's is not used: it would bring a person's words to a
        host of somebody's choice.
        """
        if not is_slacks(response_url, self._slack_url):
            raise Undeliverable("foreign_response_url")
        body: dict[str, Any] = {
            "response_type": "ephemeral",
            "replace_original": replace,
            "text": answer.text,
            **({"blocks": _afresh(answer.blocks) if replace else list(answer.blocks)} if answer.blocks else {}),
            "unfurl_links": False,
            "unfurl_media": False,
        }

        async def attempt() -> None:
            async with self._session.post(
                response_url,
                json=body,
                allow_redirects=False,
                proxy=self._client.proxy,  # the SDK has read the environment for it; aiohttp would, each time
            ) as response:
                if response.status != 200:
                    raise _failure(response.status, response.headers, str(response.status))

        await self._persist(attempt, persist)

    async def open_view(self, trigger_id: str, view: Block) -> str:
        """The id of the new modal."""
        return await self._view(lambda token: self._client.views_open(token=token, trigger_id=trigger_id, view=view))

    async def update_view(self, view_id: str, view: Block, *, seen: str | None = None, persist: bool = True) -> None:
        """With `seen`, the hash of the view as a person saw it, only if it still is that one."""
        await self._view(
            lambda token: self._client.views_update(token=token, view_id=view_id, view=view, hash=seen), persist
        )

    async def publish_home(self, user_id: str, view: Block) -> None:
        """The Home tab of one person."""
        await self._view(lambda token: self._client.views_publish(token=token, user_id=user_id, view=view))

    async def _view(self, call: Callable[[str], Awaitable[Any]], persist: bool = True) -> str:
        async def attempt() -> str:
            try:
                response = await call(await self._token())
            except AngelError as error:
                raise Undeliverable(type(error).__name__) from error
            except SlackApiError as error:
                # The SDK gives its own response, or aiohttp's where the body was no JSON.
                status = getattr(error.response, "status_code", None) or getattr(error.response, "status", None) or 0
                data = getattr(error.response, "data", None)
                code = data.get("error") if isinstance(data, dict) else None
                raise _failure(status, getattr(error.response, "headers", {}), str(code or status)) from error
            return str(response["view"]["id"])

        return await self._persist(attempt, persist)

    async def _persist(self, attempt: Callable[[], Awaitable[T]], persist: bool) -> T:
        async def once() -> T:
            try:
                return await attempt()
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _TryAgain(type(error).__name__) from error

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_worth_waiting_for),
            stop=tenacity.stop_after_attempt(1 + len(self._pauses) if persist else 1),
            wait=self._pause,
            reraise=True,
        )
        return await retrying(once)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, _TryAgain) else 0
        return max((*self._pauses, 0)[state.attempt_number - 1], asked)


def web_client(slack_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client without a token of its own, which tries nothing again, over connections that are kept elsewhere."""
    return AsyncWebClient(base_url=slack_url, session=session, logger=quiet(), retry_handlers=[])


def _always(token: str) -> Callable[[], Awaitable[str]]:
    async def given() -> str:
        return token

    return given


def is_slacks(response_url: str, slack_url: str) -> bool:
    """Whether an address is at one of Slack's own hosts, or where `slack_url`, the Web API, is."""
    own = urlsplit(slack_url)
    return bool(_AT_SLACK.fullmatch(response_url)) or response_url.startswith(f"{own.scheme}://{own.netloc}/")


def _worth_waiting_for(error: BaseException) -> bool:
    return isinstance(error, _TryAgain) and error.after <= MAX_RETRY_AFTER


def _afresh(blocks: Sequence[Block]) -> list[Block]:
    """With ids that the message which they replace did not have: Slack wants a new one for each iteration."""
    named = "block_id"
    return [{**each, named: f"{each[named]}-{secrets.token_hex(4)}"} if named in each else each for each in blocks]


def _failure(status: int, headers: Mapping[str, str], reason: str) -> Undeliverable:
    if status != 429 and status < 500:
        return Undeliverable(reason) if reason in GONE or status in (404, 410) else Refused(reason)
    after = next((value for name, value in headers.items() if name.lower() == "retry-after"), "0")
    return _TryAgain(reason, float(after) if after.isdigit() else 0)
