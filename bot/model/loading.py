"""Which model the bot asks, loaded through MLflow, and how one draft becomes one row of its input."""

import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc import PyFuncModel
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array, Object, Property

from bot import __version__
from bot.errors import AnswerUnusable, ModelError, ModelMisconfigured
from bot.model.answer import read_answer, verdict_of
from bot.model.cache import private
from bot.model.local_store import is_missing
from bot.verdict import Draft, Verdict

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_TEXT = DataType.string

SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(_TEXT, "text"),
            ColSpec(_TEXT, "tone", required=False),
            ColSpec(_TEXT, "context", required=False),
            ColSpec(_TEXT, "previous", required=False),
        ]
    ),
    outputs=Schema(
        [
            ColSpec(_TEXT, "verdict", required=False),
            ColSpec(_TEXT, "reply"),
            ColSpec(_TEXT, "rewrite", required=False),
            ColSpec(_TEXT, "tip", required=False),
            ColSpec(Array(Object([Property(name, _TEXT) for name in ("category", "excerpt", "reason")])), "findings"),
            ColSpec(Object([Property("code", _TEXT), Property("message", _TEXT)]), "error", required=False),
            ColSpec(DataType.long, "input_tokens", required=False),
            ColSpec(DataType.long, "output_tokens", required=False),
        ]
    ),
    params=ParamSchema([ParamSpec("max_tokens", "long", None), ParamSpec("temperature", "double", None)]),
)
"""The contract of every model of ours: `text` in, a `bot.model.answer.Row` out. `verdict` is `good` or `caution`, and
missing only where `error` says why."""

INPUT_EXAMPLE = pd.DataFrame({"text": ["Thanks for helping out with the move this weekend. I really appreciate it."]})


_ONE_ROW = pd.Index([0])
"""Not the usual RangeIndex: for each check MLflow joins those of all columns, which takes twice as long."""

CLEAN = "angel.clean_rows"
"""In a model's metadata: its rows come from `bot.model.answer.answer_row`. Those of other models are cleaned here."""

SENTENCE_TOKENS = 400
"""Room for the tutorial's plain sentence with a suggestion as long as most messages."""


@dataclass(frozen=True)
class Source:
    """Which model would be loaded, and why. `config` is the built-in chat model's, None for the others."""

    kind: str
    uri: str | None
    why: str
    config: Mapping[str, Any] | None = None


def source(*, model_uri: str | None, openai_model: str | None, has_key: bool, has_base_url: bool) -> Source:
    """The first of: the model at `model_uri`; the built-in chat model, where it has a server; the offline model."""
    if model_uri:
        return Source("uri", model_uri, "ANGEL_MODEL_URI is set")
    if has_key or has_base_url:
        from bot.model import chat  # the OpenAI SDK takes half a second to import; the offline model can do without

        variable = "OPENAI_BASE_URL" if has_base_url else "OPENAI_API_KEY"
        config = chat.config(openai_model or chat.DEFAULT_MODEL)
        return Source("chat", None, f"{variable} is set, ANGEL_MODEL_URI is not", config)
    return Source("offline", None, "none of ANGEL_MODEL_URI, OPENAI_BASE_URL and OPENAI_API_KEY is set")


class LoadedModel:
    """An MLflow model that answers for drafts.

    `name` and `version` tell people which one answered; `offline` that it is the offline check.
    """

    def __init__(self, model: PyFuncModel, *, uri: str, name: str, version: str | None = None, offline: bool = False):
        self._model = model
        self.uri = uri
        self.name = name
        self.version = version
        self.offline = offline
        self._clean = (model.metadata.metadata or {}).get(CLEAN) is True
        inputs = model.metadata.get_input_schema()  # type: ignore[no-untyped-call]  # MLflow's
        columns = ["text"]
        self._params: dict[str, Any] | None = None
        if inputs is not None and inputs.has_input_names():
            columns = [name for name in inputs.input_names() if name in Draft.model_fields]
        elif "max_tokens" in _param_names(model):
            # As MLflow's tutorial logs it: one column without a name (given more, it would read the wrong one), and a
            # default of 16 tokens, which ends before the suggestion begins.
            self._params = {"max_tokens": SENTENCE_TOKENS}
        self._columns = pd.Index(columns, dtype=object)

    def check(self, draft: Draft) -> Verdict:
        """The model's verdict on one draft. Raises ModelError."""
        cells = np.array([[getattr(draft, column) for column in self._columns]], dtype=object)
        frame = pd.DataFrame(cells, index=_ONE_ROW, columns=self._columns, dtype=object)
        try:
            output = self._model.predict(frame, params=self._params)
        except Exception as error:
            # A model of somebody else's may raise anything at all, with the draft in its text.
            raise ModelError(
                f"The model at {self.uri} failed with {type(error).__name__}. Try it with mlflow.pyfunc.load_model."
            ) from error
        row, clean = _first_row(output, draft)
        verdict = verdict_of(row, draft, clean=clean or self._clean, model=self.name, version=self.version)
        return verdict.model_copy(update={"offline": self.offline})


def _param_names(model: PyFuncModel) -> list[str]:
    schema = model.metadata.get_params_schema()  # type: ignore[no-untyped-call]  # MLflow's
    return [param.name for param in schema.params] if schema else []


def _first_row(output: object, draft: Draft) -> tuple[Mapping[str, Any], bool]:
    """The row of output for one row of input, and whether it was made here, so is clean."""
    if isinstance(output, pd.DataFrame) and len(output) == 1:
        return dict(zip(output.columns, output.to_numpy(dtype=object)[0], strict=True)), False
    if isinstance(output, list) and len(output) == 1:
        if isinstance(output[0], Mapping):
            return output[0], False
        if isinstance(output[0], str):
            return read_answer(output[0], draft.text), True
    raise AnswerUnusable("The model's output is neither one row with a verdict nor one string.")


def load_chat(config: Mapping[str, Any], cache_dir: Path) -> LoadedModel:
    """The built-in chat model with this configuration. Raises ModelMisconfigured."""
    return _load_built_in("chat", cache_dir, str(config["model"]), dict(config))


def load_offline(cache_dir: Path) -> LoadedModel:
    """The built-in offline model."""
    return _load_built_in("offline", cache_dir, "offline", None)


def load_uri(uri: str, *, version: str | None = None) -> LoadedModel:
    """The model at any URI that MLflow knows; `version` where the URI does not tell it. Raises ModelMisconfigured."""
    if uri.startswith(("models:/", "runs:/")) and is_missing(mlflow.get_tracking_uri()):
        # MLflow would make an empty store to look for it there.
        raise ModelMisconfigured(
            f"{uri} is in an MLflow store, and there is none here. Set MLFLOW_TRACKING_URI to where it is."
        )
    try:
        logged = uri.startswith("models:/m-")
        if version is None and uri.startswith("models:/") and not logged:
            version = registered_version(uri)
        model = mlflow.pyfunc.load_model(uri)
        shown_name = _logged_name(uri) if logged else uri
    except ModelError:
        raise
    except Exception as error:  # loading runs code that somebody else wrote
        raise ModelMisconfigured(
            f"No MLflow model could be loaded from {uri} ({type(error).__name__}). "
            "Check the URI and MLFLOW_TRACKING_URI, and that what the model requires is installed."
        ) from error
    config = model.model_config or {}
    name = str(config.get("model") or shown_name)
    return LoadedModel(model, uri=uri, name=name, version=version, offline=_is_offline(model))


def _logged_name(uri: str) -> str:
    """A logged model's own name and its run's: its URI is `models:/m-` and 32 digits. Raises MlflowException."""
    model = mlflow.get_logged_model(uri.removeprefix("models:/"))
    run = MlflowClient().get_run(model.source_run_id).info.run_name if model.source_run_id else None
    return f"{model.name} of run {run}" if run else str(model.name)


def registered_version(uri: str) -> str:
    """The version that `models:/name@alias` means now, or that `models:/name/version` names. Raises MlflowException."""
    name, at, alias = uri.removeprefix("models:/").partition("@")
    if at:
        return str(MlflowClient().get_model_version_by_alias(name, alias).version)
    return name.rpartition("/")[2]


def load(chosen: Source, cache_dir: Path) -> LoadedModel:
    """The model that `source` chose. Raises ModelMisconfigured."""
    if chosen.uri is not None:
        return load_uri(chosen.uri)
    return load_chat(chosen.config, cache_dir) if chosen.config else load_offline(cache_dir)


def _is_offline(model: PyFuncModel) -> bool:
    return bool((model.metadata.metadata or {}).get("offline"))


def _load_built_in(kind: str, cache_dir: Path, name: str, config: dict[str, Any] | None) -> LoadedModel:
    try:
        path = _saved(kind, private(cache_dir), config)
        model = mlflow.pyfunc.load_model(str(path))  # which writes a temporary file
    except (OSError, MlflowException) as error:  # MLflow has an exception of its own for some that the disk raises
        raise ModelMisconfigured(
            f"The built-in {kind} model can't be kept in {cache_dir} or loaded from there ({type(error).__name__}). "
            "Make room there and in the folder for temporary files, or set ANGEL_CACHE_DIR to another one."
        ) from error
    return LoadedModel(model, uri=str(path), name=name, version=None, offline=kind == "offline")


def _saved(kind: str, home: Path, config: dict[str, Any] | None) -> Path:
    """The folder of a built-in model in `home`, saved there from its code unless the very same one is there already."""
    code = _HERE / f"{kind}.py"
    key = json.dumps([__version__, mlflow.__version__, config, SIGNATURE.to_dict()], sort_keys=True).encode()
    final = home / f"{kind}-{hashlib.sha256(key + code.read_bytes()).hexdigest()[:16]}"
    if (final / "MLmodel").is_file():
        return final
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=home) as workshop:
        saved = Path(workshop) / "model"
        mlflow.pyfunc.save_model(
            str(saved),
            python_model=str(code),
            signature=SIGNATURE,
            input_example=INPUT_EXAMPLE,
            pip_requirements=["mlflow"],  # inferring them would take seconds, and this copy never leaves the machine
            model_config=config,
            metadata={"offline": kind == "offline", CLEAN: True},
        )
        # load_model would compare them with what is installed, which takes a third of a second and can't differ here.
        (saved / "requirements.txt").unlink()
        try:
            saved.rename(final)
        except OSError:
            # Another process put it there first, which is as good.
            if not (final / "MLmodel").is_file():
                raise
    return final
