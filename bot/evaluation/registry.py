"""Versions of the chat model in MLflow: log, promote, roll back, list."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import mlflow
import mlflow.genai
import mlflow.pyfunc
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bot.evaluation.gate import gate
from bot.evaluation.scorecard import Scorecard
from bot.evaluation.store import DEFAULT_STORE, EXPERIMENT, StoreError, mlflow_errors, silent
from bot.model.loading import CLEAN, INPUT_EXAMPLE, SIGNATURE
from bot.model.prompt import INSTRUCTIONS

MODEL = "text-message-angel"
PROMPT = "text-message-angel-instructions"
"""In the Prompt Registry. MLflow keeps prompts and models under one roof, so the two can't share a name."""

CANDIDATE, CHAMPION, PREVIOUS = "candidate", "champion", "previous"

_BOT = Path(__file__).parent.parent
_CODE = (
    "__init__.py",
    "errors.py",
    "particulars.py",
    "verdict.py",
    "model/__init__.py",
    "model/answer.py",
    "model/openai_client.py",
    "model/openai_errors.py",
    "model/prompt.py",
)
"""What `chat.py` imports of ours. It travels with the model, so that it loads where `bot` is not installed."""
_REQUIRED = ("httpx2", "openai", "pandas", "pydantic", "tenacity")


SCORECARD = "scorecard.json"
"""The artifact of an evaluation's run that holds all of its figures and rows."""
_EVALUATED = "evaluation."
"""A version's tag `evaluation.<digest of the examples>` names the run in which it was last evaluated on them."""


@dataclass(frozen=True)
class Version:
    """One version of the registered model. `model` is the chat model it asks, `run_id` the run it was logged in."""

    number: str
    aliases: tuple[str, ...]
    created: datetime
    model: str
    tags: Mapping[str, str]
    run_id: str | None = None

    @property
    def evaluated(self) -> bool:
        """Whether it was ever evaluated, on whichever examples."""
        return any(tag.startswith(_EVALUATED) for tag in self.tags)

    @property
    def uri(self) -> str:
        return f"models:/{MODEL}/{self.number}"


@dataclass(frozen=True)
class Logged:
    """What `log` made: the registered version, the run it stands in, and the version of its prompt."""

    version: str
    run_id: str
    prompt_version: int

    @property
    def uri(self) -> str:
        return f"models:/{MODEL}/{self.version}"


class Registry:
    """The chat model's versions in one MLflow store."""

    def __init__(self, tracking_uri: str | None = None) -> None:
        self.tracking_uri = tracking_uri or DEFAULT_STORE
        with mlflow_errors("open its store"):
            mlflow.set_tracking_uri(self.tracking_uri)
            self._client = MlflowClient()

    def log(self, config: Mapping[str, Any]) -> Logged:
        """Log the chat model with this configuration in a run of its own, register it, and make it the candidate."""
        with mlflow_errors("log the model"), silent():
            mlflow.set_experiment(EXPERIMENT)
            prompt = _prompt_version(str(config["instructions"]))
            with mlflow.start_run(run_name=f"log {config['model']}") as run, _code() as code:
                mlflow.log_params(
                    {name: value for name, value in config.items() if name not in ("instructions", "schema")}
                )
                mlflow.log_text(str(config["instructions"]), "prompt.txt")
                mlflow.log_dict(dict(config["schema"]), "schema.json")
                info = mlflow.pyfunc.log_model(
                    name="model",
                    python_model=str(_BOT / "model" / "chat.py"),
                    code_paths=[str(code)],
                    signature=SIGNATURE,
                    input_example=INPUT_EXAMPLE,
                    # Not the installed distribution's: on a small host that is mlflow-skinny, of the same version.
                    pip_requirements=[
                        f"mlflow=={mlflow.__version__}",
                        *(f"{name}=={installed(name)}" for name in _REQUIRED),
                    ],
                    model_config=dict(config),
                    prompts=[prompt],
                    registered_model_name=MODEL,
                    metadata={"offline": False, CLEAN: True},
                )
            number = str(info.registered_model_version)
            self._client.set_model_version_tag(MODEL, number, "model", str(config["model"]))
            self._client.set_model_version_tag(MODEL, number, "prompt_version", str(prompt.version))
            self._client.set_registered_model_alias(MODEL, CANDIDATE, number)
        return Logged(number, run.info.run_id, int(prompt.version))

    def versions(self) -> list[Version]:
        """All versions, the newest first; none where nothing has been logged yet."""
        with mlflow_errors("list the versions"):
            found = self._client.search_model_versions(f"name='{MODEL}'")
            # Aliases stand on the registered model; a search leaves them out of the versions.
            aliases = self._client.get_registered_model(MODEL).aliases if found else {}
        return [
            Version(
                number=str(each.version),
                aliases=tuple(sorted(alias for alias, number in aliases.items() if str(number) == str(each.version))),
                created=datetime.fromtimestamp(each.creation_timestamp / 1_000, UTC),
                model=each.tags.get("model", "?"),
                tags=dict(each.tags),
                run_id=each.run_id,
            )
            for each in sorted(found, key=lambda each: int(each.version), reverse=True)
        ]

    def version(self, which: str) -> Version:
        """The version with this number or alias. Raises StoreError where there is none."""
        known = self.versions()
        for each in known:
            if which == each.number or which in each.aliases:
                return each
        if not known:
            raise StoreError("No model has been logged yet. Begin with: angel model log")
        names = ", ".join(["/".join((each.number, *each.aliases)) for each in known])
        raise StoreError(f"There is no version or alias {which} of {MODEL}. There are: {names}")

    def find(self, alias: str) -> Version | None:
        """The version with this alias, or None."""
        return next((each for each in self.versions() if alias in each.aliases), None)

    def at(self, uri: str) -> Version | None:
        """The version that a `models:/` URI names; None where the URI is another model's. Raises StoreError."""
        named = re.fullmatch(rf"models:/{MODEL}(?:@|/)([\w-]+)", uri)
        return self.version(named[1]) if named else None

    def evaluated(self, version: Version, examples: str, run_id: str) -> None:
        """Remember that the version was evaluated in this run, on the examples with this digest."""
        with mlflow_errors("tag the version"):
            self._client.set_model_version_tag(MODEL, version.number, f"{_EVALUATED}{examples}", run_id)

    def metrics(self, version: Version, examples: str) -> Mapping[str, float] | None:
        """The figures of its evaluation on the examples with this digest; None where there is none."""
        run_id = version.tags.get(f"{_EVALUATED}{examples}")
        try:
            return dict(self._client.get_run(run_id).data.metrics) if run_id else None
        except MlflowException:  # somebody deleted the run for good
            return None

    def scorecard(self, version: Version, examples: str) -> Scorecard | None:
        """Its scorecard on the examples with this digest; None where there is none."""
        run_id = version.tags.get(f"{_EVALUATED}{examples}")
        if run_id is None:
            return None
        try:
            with silent():
                return Scorecard.model_validate_json(mlflow.artifacts.load_text(f"runs:/{run_id}/{SCORECARD}"))
        except (MlflowException, OSError, ValueError):
            return None  # deleted, or of a version of ours that kept other figures: to be evaluated again either way

    def reasons_against(self, version: Version, examples: str) -> list[str]:
        """Why the version may not become champion on the examples with this digest; none means that it may."""
        card = self.scorecard(version, examples)
        if card is None:
            why = (
                "It was evaluated on other examples than the current ones, so evaluate it again"
                if version.evaluated
                else "It has not been evaluated yet"
            )
            return [f"{why}: angel model evaluate --model {version.uri}"]
        return self.reasons_against_figures(version, card, examples)

    def reasons_against_figures(self, version: Version, card: Scorecard, examples: str) -> list[str]:
        """The same for figures that are not in MLflow yet."""
        champion = self.find(CHAMPION)
        if champion is None or champion.number == version.number:
            return gate(card, None, examples=examples)
        standing = self.scorecard(champion, examples)
        if standing is None:
            return [
                *gate(card, None, examples=examples),
                f"The champion, version {champion.number}, has no evaluation on these examples to be compared with: "
                f"angel model evaluate --model {champion.uri}",
            ]
        return gate(card, standing, examples=examples)

    def note_forced(self, version: Version, reason: str, despite: list[str]) -> None:
        """Record why a version is made champion without the gate: on the version, and in the run it was logged in."""
        notes = {"forced": reason, "forced_despite": " ".join(despite) or "nothing", "forced_at": _now()}
        with mlflow_errors("record the reason"):
            for name, value in notes.items():
                self._client.set_model_version_tag(MODEL, version.number, name, value)
                if version.run_id:
                    self._client.set_tag(version.run_id, name, value)

    def make_champion(self, version: Version) -> Version | None:
        """Move `champion` to this version; the one that had it becomes `previous`, and is returned."""
        champion = self.find(CHAMPION)
        with mlflow_errors("move the aliases"):
            # `previous` first: a stop in between leaves two names for the old champion, not none.
            if champion and champion.number != version.number:
                self._client.set_registered_model_alias(MODEL, PREVIOUS, champion.number)
            self._client.set_registered_model_alias(MODEL, CHAMPION, version.number)
        return champion

    def roll_back(self) -> tuple[Version, Version]:
        """Give `champion` back to `previous`, and the other way round: (from, to). Undone by another roll_back."""
        champion, previous = self.find(CHAMPION), self.find(PREVIOUS)
        if champion is None or previous is None or champion.number == previous.number:
            raise StoreError("There is no previous champion to go back to. See: angel model list")
        self.make_champion(previous)
        return champion, previous


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _code() -> Iterator[Path]:
    """A copy of the part of `bot` that the chat model needs, to be logged with it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "bot"
        for name in _CODE:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_BOT / name, copy / name)
        yield copy


def _prompt_version(instructions: str) -> Any:
    """The version of these instructions in the Prompt Registry: the latest where it is the same, else a new one."""
    latest = mlflow.genai.load_prompt(f"prompts:/{PROMPT}@latest", allow_missing=True, cache_ttl_seconds=0)
    if latest is not None and latest.template == instructions:
        return latest
    return mlflow.genai.register_prompt(name=PROMPT, template=instructions, commit_message=_about(instructions))


def _about(instructions: str) -> str:
    return "the built-in instructions" if instructions == INSTRUCTIONS else "instructions from a file"
