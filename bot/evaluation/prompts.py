"""Prompts in MLflow's Prompt Registry: the instructions that a chat model gets, version by version."""

import re
from dataclasses import dataclass
from typing import cast

import mlflow.genai
from mlflow.entities.model_registry import PromptVersion
from mlflow.exceptions import MlflowException

from bot.evaluation.store import StoreError, mlflow_errors, silent
from bot.model.prompt import INSTRUCTIONS

PROMPT = "text-message-angel-instructions"
"""In the Prompt Registry. MLflow keeps prompts and models under one roof, so the two can't share a name."""
BUILT_IN = "built-in"
_SOURCE = "angel.source"
"""A prompt version's tag; `built-in` where Angel has registered its own instructions."""

_PLACEHOLDER = re.compile(r"\{\{?\s*\w+\s*\}?\}")


@dataclass(frozen=True)
class Prompt:
    """Instructions as they stand in the Prompt Registry."""

    name: str
    version: int
    instructions: str

    @property
    def uri(self) -> str:
        return f"prompts:/{self.name}/{self.version}"


def chosen(wanted: str | None, text: str | None = None) -> Prompt:
    """The prompt version to log a model with, registered where it is new.

    `wanted` is a `prompts:/` URI, or `built-in`; `text` the instructions of a file. With neither it is the newest
    version in the registry where a person made that, and the built-in instructions otherwise. A text that is there
    already is the version it is, however old. Raises StoreError, also where a placeholder stands in it.
    """
    with mlflow_errors("read the Prompt Registry"), silent():
        if wanted and wanted != BUILT_IN:
            return _checked(_loaded(wanted))
        if text is not None:
            return _checked(_registered(text, "instructions from a file", None))
        newest = _version(PROMPT, "@latest")
        if wanted is None and newest is not None and newest.tags.get(_SOURCE) != BUILT_IN:
            return _checked(newest)
        return _checked(_registered(INSTRUCTIONS, "the built-in instructions", {_SOURCE: BUILT_IN}))


def register(text: str, about: str) -> Prompt:
    """A version of these instructions. Raises StoreError."""
    with mlflow_errors("register the prompt"), silent():
        return _checked(_registered(text, about, None))


def refuse_placeholders(text: str) -> None:
    """Raises StoreError where the text has placeholders: nothing would put anything into them."""
    found = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    if found:
        raise StoreError(
            f"The instructions have placeholders: {', '.join(found[:5])}. Nothing is put into them: the draft travels "
            "in a message of its own, after the instructions, as JSON with the keys draft, tone and context. "
            "Take them out."
        )


def _loaded(uri: str) -> PromptVersion:
    try:
        found = mlflow.genai.load_prompt(uri, allow_missing=True, cache_ttl_seconds=0)
    except MlflowException as error:
        if error.error_code != "INVALID_PARAMETER_VALUE":
            raise
        found = None
    if found is None:
        raise StoreError(
            f"There is no prompt {uri}. Name a version or an alias: prompts:/{PROMPT}/3 or prompts:/{PROMPT}@champion"
        )
    return cast(PromptVersion, found)


def _version(name: str, which: str) -> PromptVersion | None:
    found: PromptVersion | None = mlflow.genai.load_prompt(
        f"prompts:/{name}{which}", allow_missing=True, cache_ttl_seconds=0
    )
    return found


def _registered(text: str, about: str, tags: dict[str, str] | None) -> PromptVersion:
    newest = _version(PROMPT, "@latest")
    for number in range(int(newest.version) if newest else 0, 0, -1):
        each = newest if newest and number == newest.version else _version(PROMPT, f"/{number}")
        if each is not None and each.template == text:
            return each
    made: PromptVersion = mlflow.genai.register_prompt(name=PROMPT, template=text, commit_message=about, tags=tags)
    return made


def _checked(found: PromptVersion) -> Prompt:
    if not isinstance(found.template, str):
        raise StoreError(
            f"The prompt {found.name} is a chat of several messages. Angel takes instructions as one text."
        )
    if not found.template.strip():
        raise StoreError(f"The prompt {found.name} is empty.")
    refuse_placeholders(found.template)
    return Prompt(found.name, int(found.version), found.template)
