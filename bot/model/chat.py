"""The chat model: an MLflow model from code around one kept OpenAI client.

Everything that shapes an answer stands in the model's `model_config` (see `config`) and is versioned with it. Where the
server is and the key to it come from the environment of whoever loads the model: OPENAI_BASE_URL and OPENAI_API_KEY.
"""

import json
import re
import time
import weakref
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import mlflow
import numpy as np
import openai
import pandas as pd
import tenacity
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from pydantic import BaseModel

from bot.errors import (
    AnswerCutOff,
    AnswerEmpty,
    AnswerFiltered,
    AnswerRefused,
    DraftRejected,
    ModelError,
    ModelMisconfigured,
    ModelUnavailable,
)
from bot.model.answer import SCHEMA, Row, count, error_row, read_answer
from bot.model.prompt import INSTRUCTIONS, messages
from bot.verdict import Draft

DEFAULT_MODEL = "gpt-5.4-mini"
"""No end of it is announced, unlike its smaller and older siblings (openai/types/shared/chat_model.py, 3.51.0)."""

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
ATTEMPTS = 3
CONCURRENT_ROWS = 16
"""Requests under way at once for one call of `predict` with many rows: a rate limit is reached soon enough."""


def config(
    model: str = DEFAULT_MODEL,
    *,
    instructions: str = INSTRUCTIONS,
    temperature: float | None = None,
    reasoning_effort: str | None = "none",
    max_tokens: int = 600,
) -> dict[str, Any]:
    """The `model_config` of a chat model.

    `max_tokens` is for the rewrite alone; findings, JSON and reasoning have an allowance of their own, so that the
    tutorial's `max_tokens` of 50 shortens a suggestion instead of breaking the answer. `temperature` and
    `reasoning_effort` are not sent where None.
    """
    return {
        "model": model,
        "instructions": instructions,
        "schema": SCHEMA,
        "temperature": temperature,
        "reasoning_effort": reasoning_effort,
        "max_tokens": max_tokens,
    }


class _Message(BaseModel):
    content: Any = None
    refusal: Any = None


class _Choice(BaseModel):
    message: _Message | None = None
    finish_reason: Any = None


class _Usage(BaseModel):
    prompt_tokens: Any = None
    completion_tokens: Any = None


class _Completion(BaseModel):
    """What is read of a chat completion; compatible servers leave out or add what they like around it."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class ChatModel(PythonModel):
    """One row of text in, one Row out; a row that fails carries its error and never fails the others."""

    def load_context(self, context: PythonModelContext) -> None:
        self._config: Mapping[str, Any] = context.model_config
        self._client = _client()
        self._left_out: set[str] = set()

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        columns = [str(column) for column in model_input.columns]
        cells = model_input.to_numpy(dtype=object).tolist()

        def answer(row: list[object]) -> Row:
            return self._answer(dict(zip(columns, row, strict=True)), given)

        if len(cells) == 1:
            return as_frame([answer(cells[0])])
        with ThreadPoolExecutor(max_workers=CONCURRENT_ROWS) as pool:
            return as_frame(list(pool.map(answer, cells)))

    def _answer(self, row: Mapping[str, Any], params: Mapping[str, Any]) -> Row:
        try:
            draft = Draft(text=row["text"], tone=_present(row.get("tone")), context=_present(row.get("context")))
        except DraftRejected as error:
            return error_row("draft", str(error))
        try:
            return self._read(self._complete(draft, params), draft)
        except ModelError as error:
            return error_row(error.code, str(error))

    def _complete(self, draft: Draft, params: Mapping[str, Any]) -> _Completion:
        request = self._request(draft, params)
        began = time.monotonic()
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_another_try),
            # `before`: a wait that would end after the deadline is not begun, however long Retry-After asks for.
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(TOTAL_SECONDS),
            wait=_wait,
            reraise=True,
        )
        # One more try for each parameter that may have to be left out.
        for _ in range(len(OPTIONAL) + 1):
            try:
                return retrying(self._send, request, began)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                name = _unsupported(error, request)
                if name is None:
                    raise translated(error, self._model) from error
                self._left_out.add(name)
                request = self._request(draft, params)
            except openai.OpenAIError as error:
                raise translated(error, self._model) from error
        raise ModelMisconfigured(f"The server refuses every form of a request for {self._model}.")

    def _send(self, request: dict[str, Any], began: float) -> _Completion:
        left = max(TOTAL_SECONDS - (time.monotonic() - began), 0.001)
        timeout = openai.Timeout(left, connect=min(CONNECT_SECONDS, left))
        # Not chat.completions.create: it walks through all that is sent, the schema too, and all that comes, each time.
        content = self._client.post("/chat/completions", cast_to=bytes, body=request, options={"timeout": timeout})
        try:
            return _Completion.model_validate(json.loads(content))
        except ValueError as error:
            raise _not_an_api() from error

    def _request(self, draft: Draft, params: Mapping[str, Any]) -> dict[str, Any]:
        effort = self._config["reasoning_effort"]
        tokens = int(params.get("max_tokens", self._config["max_tokens"]))
        allowance = 400 if effort == "none" else 4_000  # what findings and JSON take; reasoning takes more
        wanted = {
            "temperature": params.get("temperature", self._config["temperature"]),
            "reasoning_effort": effort,
            "max_completion_tokens": tokens + allowance,
            # The older name, for servers that know no other.
            "max_tokens": tokens + allowance if "max_completion_tokens" in self._left_out else None,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "verdict", "strict": True, "schema": self._config["schema"]},
            },
            "prompt_cache_key": "text-message-angel",
        }
        return {
            "model": self._model,
            "messages": messages(self._config["instructions"], draft),
            **{name: value for name, value in wanted.items() if value is not None and name not in self._left_out},
        }

    def _read(self, completion: _Completion, draft: Draft) -> Row:
        choice = completion.choices[0] if completion.choices else _Choice()
        if choice.message is None:
            raise AnswerEmpty(f"{self._model} answered without a choice.")
        if choice.message.refusal:
            raise AnswerRefused(f"{self._model} declined to read this draft.")
        if choice.finish_reason == "content_filter":
            raise AnswerFiltered(_FILTERED)
        content = choice.message.content
        if choice.finish_reason == "length":
            raise AnswerCutOff(f"{self._model} did not finish its answer within the token limit. Raise max_tokens.")
        if not isinstance(content, str) or not content.strip():
            raise AnswerEmpty(f"{self._model} answered with nothing.")
        row = read_answer(content, draft.text)
        if completion.usage:
            row["input_tokens"] = count(completion.usage.prompt_tokens)
            row["output_tokens"] = count(completion.usage.completion_tokens)
        return row

    @property
    def _model(self) -> str:
        return str(self._config["model"])


OPTIONAL = (
    "temperature",
    "reasoning_effort",
    "max_completion_tokens",
    "max_tokens",
    "response_format",
    "prompt_cache_key",
)
"""The request's parameters that an answer can do without: what one server needs, another has never heard of."""

_FILTERED = (
    "The server's content filter held the answer back. It reads drafts that people are unsure of: relax it there."
)


COLUMNS = pd.Index(Row.__annotations__, dtype=object)


def as_frame(rows: list[Row]) -> pd.DataFrame:
    """Rows as a model returns them. Through one array: from dicts it takes pandas several times as long, every call."""
    cells = np.empty((len(rows), len(COLUMNS)), dtype=object)
    for at, row in enumerate(rows):
        for column, value in enumerate(row.values()):
            cells[at, column] = value
    return pd.DataFrame(cells, columns=COLUMNS, dtype=object)


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


def _begin(request: httpx2.Request) -> None:
    request.extensions["until"] = time.monotonic() + request.extensions["timeout"]["read"]


def _bound(response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _InTime(response.stream, response.request.extensions["until"])


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


def _present(value: object) -> Any:
    """A cell's value, or None: a DataFrame fills an optional column with NaN."""
    return value if isinstance(value, str) and value.strip() else None


def _status(error: BaseException) -> int | None:
    return error.status_code if isinstance(error, openai.APIStatusError) else None


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


def _unsupported(error: openai.APIStatusError, request: Mapping[str, Any]) -> str | None:
    """The optional parameter of the request that the server says it does not take, if that is what it says."""
    sent = [name for name in OPTIONAL if name in request]
    if error.param:
        return next((name for name in sent if error.param.split(".")[0] == name), None)
    # Compatible servers put it in words, or in the place a validator complains of.
    said = str(error.body)
    return next((name for name in sent if re.search(rf"\b{name}\b", said)), None)


def _not_an_api() -> ModelError:
    return ModelMisconfigured(
        "What answers at OPENAI_BASE_URL does not speak the OpenAI API. Most servers want a path there, such as /v1."
    )


def translated(error: openai.OpenAIError, model: str) -> ModelError:
    """The SDK's error in words for the operator. None of the server's own: they may quote the draft."""
    match error:
        case openai.APITimeoutError():
            return ModelUnavailable(f"{model} did not answer within {TOTAL_SECONDS:.0f} s.")
        case openai.APIConnectionError():
            return ModelUnavailable("The chat model's server can't be reached. Check OPENAI_BASE_URL and the network.")
        case openai.APIResponseValidationError():
            return _not_an_api()
        case openai.AuthenticationError():
            return ModelMisconfigured("The chat model's server refused the key. Check OPENAI_API_KEY.")
        case openai.PermissionDeniedError():
            return ModelMisconfigured(
                f"The key in OPENAI_API_KEY may not use {model}. Check the project's permissions."
            )
        case openai.NotFoundError():
            return ModelMisconfigured(
                f"The server knows no model {model}: it may be retired or misspelt. "
                "Name another in OPENAI_MODEL, or check the path in OPENAI_BASE_URL."
            )
        case openai.RateLimitError() if error.code in ("insufficient_quota", "billing_hard_limit_reached"):
            return ModelMisconfigured("The OpenAI account is out of quota. Check its plan and billing.")
        case openai.RateLimitError():
            return ModelUnavailable(
                f"The server limits how often {model} may be asked. Raise the limit or ask less often."
            )
        case openai.BadRequestError() if error.code in ("content_filter", "content_policy_violation"):
            return AnswerFiltered(_FILTERED)
        case openai.BadRequestError() if error.code in ("model_not_found", "model_deprecated", "model_retired"):
            return ModelMisconfigured(f"{model} is retired or unknown to the server. Name another in OPENAI_MODEL.")
        case openai.BadRequestError() if error.code == "context_length_exceeded":
            return ModelMisconfigured(f"The draft and the prompt don't fit {model}. Name one with a larger context.")
        case openai.BadRequestError() | openai.UnprocessableEntityError():
            return ModelMisconfigured(
                f"The server refused the request for {model} (status {_status(error)}). Is it a chat model?"
            )
        case openai.LengthFinishReasonError():
            return AnswerCutOff(f"{model} did not finish its answer within the token limit. Raise max_tokens.")
        case openai.ContentFilterFinishReasonError():
            return AnswerFiltered(_FILTERED)
        case openai.InternalServerError() | openai.ConflictError():
            return ModelUnavailable(
                f"The chat model's server failed (status {_status(error)}). Its status page may say more."
            )
        case openai.APIStatusError() if error.status_code == 408:
            return ModelUnavailable(f"{model} took too long for its own server (status 408).")
        case openai.APIStatusError():
            return ModelMisconfigured(
                f"The chat model's server answered with status {error.status_code}. Check OPENAI_BASE_URL."
            )
        case _:
            return ModelMisconfigured(f"The OpenAI client can't be used as it is set up ({type(error).__name__}).")


mlflow.models.set_model(ChatModel())
