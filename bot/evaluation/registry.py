"""Versions of the chat model in MLflow: log, promote, roll back, list."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bot.evaluation import promotions, prompts
from bot.evaluation.gate import gate
from bot.evaluation.mlflow_internals import bound_retries_of_database, user
from bot.evaluation.promotions import Change, Kind
from bot.evaluation.prompts import PROMPT, Prompt
from bot.evaluation.scorecard import Scorecard
from bot.evaluation.store import EXPERIMENT, MODEL, StoreError, address, mlflow_errors, open_to_write, silent
from bot.model.loading import CLEAN, INPUT_EXAMPLE, SIGNATURE
from bot.model.local_store import is_missing, shown

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


RECORDED = ("caution_recall", "caution_precision", "false_alarms", "rewrites_clean", "rows")
"""The figures that stand in the record of a promotion."""


class Registry:
    """The chat model's versions in one MLflow store."""

    def __init__(self, tracking_uri: str | None = None) -> None:
        self.tracking_uri = address(tracking_uri)
        with mlflow_errors("open the store"):
            bound_retries_of_database(self.tracking_uri)

    @cached_property
    def _client(self) -> MlflowClient:
        """Made when it is first used: to make one makes the store, where that is a file."""
        return MlflowClient()

    @property
    def shown_uri(self) -> str:
        """The store's address as it may be printed."""
        return shown(self.tracking_uri)

    def prompt(self, wanted: str | None, text: str | None = None) -> Prompt:
        """The prompt version to log a model with, as `prompts.chosen` has it."""
        if text is not None:
            prompts.refuse_placeholders(text)
        open_to_write(self.tracking_uri)
        return prompts.chosen(wanted, text)

    def log(self, config: Mapping[str, Any], prompt: Prompt | None = None) -> Logged:
        """Log the chat model with this configuration in a run of its own, register it, and make it the candidate.

        Its instructions are the prompt's, or those of `config`, which then become a version of the prompt.
        """
        prompt = prompt or self.prompt(None, str(config["instructions"]))
        open_to_write(self.tracking_uri)
        config = {**config, "instructions": prompt.instructions}
        # As files: MLflow writes what is in `model_config` as the run's params, instructions and schema in pieces.
        texts = {"instructions": prompt.instructions, "schema": json.dumps(config["schema"])}
        settings = {name: value for name, value in config.items() if name not in texts}
        with mlflow_errors("log the model"), silent(), _files(texts) as artifacts, _code() as code:
            mlflow.set_experiment(EXPERIMENT)
            with mlflow.start_run(run_name=f"log {config['model']} prompt {prompt.version}"[:250]) as run:
                info = mlflow.pyfunc.log_model(
                    name=_name(str(config["model"]), prompt),
                    python_model=str(_BOT / "model" / "chat.py"),
                    artifacts=artifacts,
                    code_paths=[str(code)],
                    signature=SIGNATURE,
                    input_example=INPUT_EXAMPLE,
                    # Not the installed distribution's: on a small host that is mlflow-skinny, of the same version.
                    pip_requirements=[
                        f"mlflow=={mlflow.__version__}",
                        *(f"{name}=={installed(name)}" for name in _REQUIRED),
                    ],
                    model_config=settings,
                    prompts=[prompt.uri],
                    registered_model_name=MODEL,
                    metadata={"offline": False, CLEAN: True},
                )
            number = str(info.registered_model_version)
            tags = {"model": config["model"], "prompt_name": prompt.name, "prompt_version": prompt.version}
            for name, value in tags.items():
                self._client.set_model_version_tag(MODEL, number, name, str(value))
        self._point(CANDIDATE, self.version(number))
        return Logged(number, run.info.run_id, prompt.version)

    def _point(self, alias: str, version: Version | None) -> None:
        """Give the alias to this version and its prompt, or take it from all where None."""
        with mlflow_errors("move the aliases"):
            if version is None:
                self._client.delete_registered_model_alias(MODEL, alias)
                with suppress(MlflowException):  # no prompt of ours had it
                    self._client.delete_prompt_alias(PROMPT, alias)
                return
            self._client.set_registered_model_alias(MODEL, alias, version.number)
            number = version.tags.get("prompt_version")
            if number:
                self._client.set_prompt_alias(version.tags.get("prompt_name", PROMPT), alias, int(number))

    def versions(self) -> list[Version]:
        """All versions, the newest first; none where nothing has been logged yet."""
        if is_missing(self.tracking_uri):
            return []
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

    def reasons_against(self, version: Version, examples: str, *, judged: bool = False) -> list[str]:
        """Why the version may not become champion on the examples with this digest; none means that it may."""
        card = self.scorecard(version, examples)
        if card is None:
            why = (
                "It was evaluated on other examples than the current ones, so evaluate it again"
                if version.evaluated
                else "It has not been evaluated yet"
            )
            return [f"{why}: angel model evaluate --model {version.uri}"]
        return self.reasons_against_figures(version, card, examples, judged=judged)

    def reasons_against_figures(
        self, version: Version, card: Scorecard, examples: str, *, judged: bool = False
    ) -> list[str]:
        """The same for figures that are not in MLflow yet."""
        champion = self.find(CHAMPION)
        if champion is None or champion.number == version.number:
            return gate(card, None, examples=examples, judged=judged)
        standing = self.scorecard(champion, examples)
        if standing is None:
            return [
                *gate(card, None, examples=examples, judged=judged),
                f"The champion, version {champion.number}, has no evaluation on these examples to be compared with: "
                f"angel model evaluate --model {champion.uri}",
            ]
        return gate(card, standing, examples=examples, judged=judged)

    def history(self) -> list[Change]:
        """Every promotion and rollback, the oldest first."""
        if not self.versions():
            return []
        with mlflow_errors("read the history"):
            return promotions.read(self._client.get_registered_model(MODEL).tags)

    def make_champion(
        self,
        version: Version,
        kind: Kind = Kind.PROMOTE,
        *,
        figures: Mapping[str, float] | None = None,
        reason: str | None = None,
        despite: Sequence[str] = (),
    ) -> Version | None:
        """Move `champion` to this version and record it; the one that had it becomes `previous`, and is returned.

        `figures` are those it passed the gate on; `reason` says why it need not, and `despite` what the gate said.
        """
        champion = self.find(CHAMPION)
        if champion and champion.number == version.number:
            return champion
        if champion and kind is not Kind.ROLLBACK:
            # `previous` first: a stop in between leaves two names for the old champion, not none.
            self._point(PREVIOUS, champion)
        self._point(CHAMPION, version)
        self._record(
            Change(
                kind,
                datetime.now(UTC),
                user(),
                champion.number if champion else None,
                version.number,
                {name: value for name, value in (figures or {}).items() if name in RECORDED},
                reason,
                " ".join(despite) or None,
            ),
            version,
        )
        return champion

    def _record(self, change: Change, version: Version) -> None:
        name, value = change.tag
        notes = {"changed": f"{change.kind} {change.at:%Y-%m-%d %H:%M} UTC by {change.by}"}
        if change.reason:
            notes |= {"forced": change.reason, "forced_despite": change.despite or "nothing"}
        with mlflow_errors("record the change"):
            self._client.set_registered_model_tag(MODEL, name, value)
            for note, said in notes.items():
                self._client.set_model_version_tag(MODEL, version.number, note, said)
                if version.run_id:
                    self._client.set_tag(version.run_id, note, said)

    def roll_back(self, to: Version | None = None) -> tuple[Version, Version]:
        """Give `champion` back to the champion before it, or to the version named: (from, to).

        Without a name it never leads to a version that was rolled back from, and never further back than one step: two
        people who do it at the same time do it once. Raises StoreError.
        """
        champion = self.find(CHAMPION)
        if champion is None:
            raise StoreError("There is no previous champion to go back to. See: angel model list")
        changes = self.history()
        earlier = promotions.earlier_champions(changes, champion.number)
        if to is None:
            if changes and changes[-1].kind is Kind.ROLLBACK and changes[-1].after == champion.number:
                last = changes[-1]
                raise StoreError(
                    f"Version {champion.number} is the champion since {last.by} rolled back from version "
                    f"{last.before} at {last.at.astimezone():%Y-%m-%d %H:%M}. "
                    "To go to another, name it: angel model rollback VERSION"
                )
            previous = self.find(PREVIOUS)
            number = next(iter(earlier), None) if changes else previous.number if previous else None
            if number is None or number == champion.number:
                raise StoreError("There is no previous champion to go back to. See: angel model list")
            to = self.version(number)
        self.make_champion(to, Kind.ROLLBACK)
        further = [number for number in promotions.earlier_champions(self.history(), to.number) if number != to.number]
        self._point(PREVIOUS, self.version(further[0]) if further else None)
        return champion, to


def _name(model: str, prompt: Prompt) -> str:
    """The logged model's name in MLflow, which tells it from the others: `gpt-5.4-mini-prompt-3`."""
    # MLflow takes no / : . % " ' in it.
    return re.sub(r"[^\w-]+", "-", f"{model}-prompt-{prompt.version}").strip("-")


@contextmanager
def _files(texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """A file for each of the texts: their paths by name."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / f"{name}.txt").write_text(text, encoding="utf-8")
        yield {name: str(Path(folder) / f"{name}.txt") for name in texts}


@contextmanager
def _code() -> Iterator[Path]:
    """A copy of the part of `bot` that the chat model needs, to be logged with it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "bot"
        for name in _CODE:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_BOT / name, copy / name)
        yield copy
