"""The chat model: an MLflow model from code around one kept OpenAI client.

Everything that shapes an answer stands in the model's `model_config` (see `config`) and is versioned with it. Where the
server is and the key to it come from the environment of whoever loads the model: OPENAI_BASE_URL and OPENAI_API_KEY.
"""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import openai
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from bot.errors import (
    AnswerCutOff,
    AnswerEmpty,
    AnswerFiltered,
    AnswerRefused,
    DraftRejected,
    ModelError,
    ModelMisconfigured,
)
from bot.model.answer import SCHEMA, Row, count, error_row, read_answer
from bot.model.openai_client import TOTAL_SECONDS, Choice, Completion, Completions
from bot.model.openai_errors import FILTERED, translated, unsupported
from bot.model.prompt import INSTRUCTIONS, messages
from bot.verdict import Draft

DEFAULT_MODEL = "gpt-5.4-mini"
"""No end of it is announced, unlike its smaller and older siblings (openai/types/shared/chat_model.py, 3.51.0)."""

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


class ChatModel(PythonModel):
    """One row of text in, one Row out; a row that fails carries its error and never fails the others."""

    def load_context(self, context: PythonModelContext) -> None:
        # What was logged has its texts as files; what is saved for this machine alone has all of it in `model_config`.
        texts = {name: Path(path).read_text(encoding="utf-8") for name, path in (context.artifacts or {}).items()}
        if "schema" in texts:
            texts["schema"] = json.loads(texts["schema"])
        self._config: Mapping[str, Any] = {**context.model_config, **texts}
        self._server = Completions()
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
            about = {name: _present(row.get(name)) for name in ("tone", "context", "previous")}
            draft = Draft(text=row["text"], **about)
        except DraftRejected as error:
            return error_row("draft", str(error))
        try:
            return self._read(self._complete(draft, params), draft)
        except ModelError as error:
            return error_row(error.code, str(error))

    def _complete(self, draft: Draft, params: Mapping[str, Any]) -> Completion:
        until = time.monotonic() + TOTAL_SECONDS
        request = self._request(draft, params)
        # One more try for each parameter that may have to be left out.
        for _ in range(len(OPTIONAL) + 1):
            try:
                return self._server.create(request, until=until)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                name = unsupported(error, [name for name in OPTIONAL if name in request])
                if name is None:
                    raise translated(error, self._model, TOTAL_SECONDS) from error
                self._left_out.add(name)
                request = self._request(draft, params)
            except openai.OpenAIError as error:
                raise translated(error, self._model, TOTAL_SECONDS) from error
        raise ModelMisconfigured(f"The server refuses every form of a request for {self._model}.")

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

    def _read(self, completion: Completion, draft: Draft) -> Row:
        choice = completion.choices[0] if completion.choices else Choice()
        if choice.message is None:
            raise AnswerEmpty(f"{self._model} answered without a choice.")
        if choice.message.refusal:
            raise AnswerRefused(f"{self._model} declined to read this draft.")
        if choice.finish_reason == "content_filter":
            raise AnswerFiltered(FILTERED)
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

COLUMNS = pd.Index(Row.__annotations__, dtype=object)


def as_frame(rows: list[Row]) -> pd.DataFrame:
    """Rows as a model returns them. Through one array: from dicts it takes pandas several times as long, every call."""
    cells = np.empty((len(rows), len(COLUMNS)), dtype=object)
    for at, row in enumerate(rows):
        for column, value in enumerate(row.values()):
            cells[at, column] = value
    return pd.DataFrame(cells, columns=COLUMNS, dtype=object)


def _present(value: object) -> Any:
    """A cell's value, or None: a DataFrame fills an optional column with NaN."""
    return value if isinstance(value, str) and value.strip() else None


mlflow.models.set_model(ChatModel())
