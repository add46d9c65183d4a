"""The line to a chat model's server: one kept OpenAI client, and one bound in time for an answer and all its retries.

Where the server is and the key to it come from the environment: OPENAI_BASE_URL and OPENAI_API_KEY.
"""

import json
import time
import weakref
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai
import tenacity
from pydantic import BaseModel

from bot.errors import ModelMisconfigured
from bot.model.openai_errors import not_an_api

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
ATTEMPTS = 3


class Message(BaseModel):
    content: Any = None
    refusal: Any = None


class Choice(BaseModel):
    message: Message | None = None
    finish_reason: Any = None


class Usage(BaseModel):
    prompt_tokens: Any = None
    completion_tokens: Any = None


class Completion(BaseModel):
    """What is read of a chat completion; compatible servers leave out or add what they like around it."""

    choices: list[Choice] | None = None
    usage: Usage | None = None


class Completions:
    """Chat completions of the server that the environment names.

    Raises ModelMisconfigured where it names none and there is no key for OpenAI's own.
    """

    def __init__(self) -> None:
        self._client = _client()

    def create(self, request: dict[str, Any], *, until: float) -> Completion:
        """The server's answer, tried again while that may help and `until` (of `time.monotonic`) allows it.

        Raises openai.OpenAIError, or ModelMisconfigured where what answers is no such server.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_another_try),
            # `before`: a wait that would end after the deadline is not begun, however long Retry-After asks for.
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(until - time.monotonic()),
            wait=_wait,
            reraise=True,
        )
        return retrying(self._send, request, until)

    def _send(self, request: dict[str, Any], until: float) -> Completion:
        left = max(until - time.monotonic(), 0.001)
        timeout = openai.Timeout(left, connect=min(CONNECT_SECONDS, left))
        # Not chat.completions.create: it walks through all that is sent, the schema too, and all that comes, each time.
        content = self._client.post("/chat/completions", cast_to=bytes, body=request, options={"timeout": timeout})
        try:
            return Completion.model_validate(json.loads(content))
        except ValueError as error:
            raise not_an_api() from error


def _client() -> openai.OpenAI:
    http_client = openai.DefaultHttpxClient(event_hooks={"request": [_begin], "response": [_bound]})
    # Retries are ours: the SDK bounds each attempt, not all of them together.
    try:
        client = openai.OpenAI(max_retries=0, http_client=http_client)
    except openai.OpenAIError:  # no key; many compatible servers need none
        client = openai.OpenAI(api_key="none", max_retries=0, http_client=http_client)
        if client.base_url.host == "api.openai.com":
            raise ModelMisconfigured(
                "The chat model needs OPENAI_API_KEY (for OpenAI) or OPENAI_BASE_URL (for a compatible server)."
            ) from None
    weakref.finalize(client, http_client.close).atexit = False  # the SDK closes only a client of its own making
    return client


class _InTime(httpx2.SyncByteStream):
    """A response's body, given up at `until`: servers under load send blanks to keep a line, and each read is short."""

    def __init__(self, body: httpx2.SyncByteStream, until: float) -> None:
        self._body = body
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("The response did not end in time.")
            yield chunk

    def close(self) -> None:
        self._body.close()


# httpx2 bounds each read of a response, not their sum, and has no setting for that. So a request is given the time at
# which it ends in its extensions, which is where httpx2 keeps its own timeouts, and the response is read until then.
# `test_httpx2_gives_a_request_its_timeouts_and_takes_another_stream` fails where that changes.


def _begin(request: httpx2.Request) -> None:
    request.extensions["until"] = time.monotonic() + request.extensions["timeout"]["read"]


def _bound(response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _InTime(response.stream, response.request.extensions["until"])


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, openai.APITimeoutError):
        return False  # a hang has used the time up; a failure to connect within it is rare enough to say so at once
    if isinstance(error, openai.APIConnectionError):
        return True
    if isinstance(error, openai.APIStatusError):
        asked = error.response.headers.get("x-should-retry")
        if asked in ("true", "false"):
            return asked == "true"
        return error.code != "insufficient_quota" and (error.status_code in (408, 409, 429) or error.status_code >= 500)
    return False


_backoff = tenacity.wait_exponential_jitter(multiplier=0.5, max=4)


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: what the server asks for, else a growing pause."""
    error = state.outcome.exception() if state.outcome else None
    headers = error.response.headers if isinstance(error, openai.APIStatusError) else {}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(float(value) * unit, 0.0)
        except ValueError:
            try:
                return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
            except ValueError:
                continue
    return float(_backoff(state))
