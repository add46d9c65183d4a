"""Follow an alias in MLflow's registry: a new version is loaded beside the old one, tried, and swapped in."""

import json
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import mlflow.artifacts
from mlflow.exceptions import MlflowException

from bot.errors import AngelError, ModelError, ModelMisconfigured, ModelUnavailable
from bot.health import KNOWN
from bot.model.cache import private
from bot.model.loading import LoadedModel, load_uri, registered_version
from bot.threads import within
from bot.verdict import Draft, Verdict

logger = logging.getLogger(__name__)

POLL_SECONDS = 20.0
RETRY_SECONDS = 300.0
"""How long a version that failed is left alone: each try asks its server something, which costs."""
START_SECONDS = 6.0
"""How long a start waits for MLflow before it takes the last good model, or serves without one for now."""
FIRST_TRIAL_SECONDS = 3.0
"""How long a start waits for the first model's answer on trial. A model that is slow or down serves all the same."""


class Following:
    """The model behind an alias such as `models:/text-message-angel@champion`, kept current.

    A copy of the last good version lies under `cache_dir`, so that a start with MLflow down comes up serving.
    """

    def __init__(self, uri: str, cache_dir: Path) -> None:
        self.uri = uri
        self._home = private(cache_dir) / f"last-good-{sha256(uri.encode()).hexdigest()[:16]}"
        self._version: str | None = None
        self._failed: tuple[str, float] | None = None
        self._stop = threading.Event()

    def first(self) -> LoadedModel:
        """The alias's version now; the last good one where MLflow can't give it in time, or where it fails its trial.

        Raises ModelMisconfigured where there is neither.
        """
        try:
            model = within(START_SECONDS, lambda: self._load(registered_version(self.uri)), name="first load")
        except Exception as error:
            self._say("can't be loaded", error)
            last_good = self._last_good()
            if last_good is not None:
                logger.warning("model=%s serving the last good one, version=%s", self.uri, last_good.version)
                return last_good
            raise ModelMisconfigured(
                f"{self.uri} can't be loaded ({type(error).__name__}), and no earlier version lies in the cache. "
                "Check MLFLOW_TRACKING_URI, and that the alias is set: angel model list"
            ) from error
        try:
            within(FIRST_TRIAL_SECONDS, partial(self._try, model), name="trial")
        except (ModelError, TimeoutError) as error:
            self._say(f"failed its trial, version={model.version}", error)
            last_good = self._last_good() if isinstance(error, ModelMisconfigured) else None
            # With nothing better, it serves: the offline check answers for it until whatever fails it has passed.
            return last_good or self._now(model)
        return model

    def start(self, swap: Callable[[LoadedModel], None], *, poll_seconds: float = POLL_SECONDS) -> None:
        """Look for a new version every so often, in a thread that ends with the process, and hand it to `swap`."""
        threading.Thread(target=self._watch, args=(swap, poll_seconds), name="following", daemon=True).start()

    def stop(self) -> None:
        """Look no more. A look under way is not waited for."""
        self._stop.set()

    def _watch(self, swap: Callable[[LoadedModel], None], poll_seconds: float) -> None:
        while not self._stop.wait(poll_seconds):
            version = None
            try:
                version = registered_version(self.uri)
                if version == self._version or self._failed_lately(version):
                    continue
                model = self._load(version)
                self._try(model)
            except Exception as error:
                # Whatever it is, the old version goes on serving; nobody in Slack has to feel it.
                if version is not None:
                    self._failed = (version, time.monotonic())
                self._say(f"can't be swapped in, version={version or '?'}; kept version={self._version or '?'}", error)
            else:
                if not self._stop.is_set():
                    swap(model)
                    logger.warning("model=%s now serving version=%s", self.uri, version)

    def _failed_lately(self, version: str) -> bool:
        if self._failed is None or self._failed[0] != version:
            return False
        return time.monotonic() - self._failed[1] < RETRY_SECONDS

    def _load(self, version: str) -> LoadedModel:
        """This version, from a copy of our own."""
        folder = self._home / version
        if not folder.is_dir():
            self._home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._home) as workshop:
                name = self.uri.removeprefix("models:/").partition("@")[0]
                copy = mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=workshop)
                try:
                    Path(copy).rename(folder)
                except OSError:  # another process of ours was quicker
                    if not folder.is_dir():
                        raise
        return load_uri(str(folder), version=version)

    def _try(self, model: LoadedModel) -> None:
        """Ask the known message; what answers is the last good version from now on. Raises ModelError."""
        model.check(KNOWN)
        self._remember(str(model.version))

    def _now(self, model: LoadedModel) -> LoadedModel:
        self._version = model.version
        return model

    def _remember(self, version: str) -> None:
        note = self._home / "last-good.json"
        draft = note.with_suffix(".new")
        try:
            draft.write_text(json.dumps({"uri": self.uri, "version": version}))
            draft.replace(note)
        except OSError as error:
            logger.warning("model=%s can't be noted as the last good one (%s)", self.uri, error.strerror)
        keep = {version, self._version}  # the one before may still be answering
        self._version = version
        for folder in self._home.iterdir():
            if folder.is_dir() and folder.name.isdigit() and folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)

    def _last_good(self) -> LoadedModel | None:
        try:
            version = str(json.loads((self._home / "last-good.json").read_text())["version"])
            return self._now(load_uri(str(self._home / version), version=version))
        except (OSError, ValueError, KeyError, ModelMisconfigured):
            return None

    def _say(self, what: str, error: Exception) -> None:
        # MLflow's own texts hold addresses and stack traces of the server, never a draft; its code says enough.
        said = str(error) if isinstance(error, AngelError) else type(error).__name__
        if isinstance(error, MlflowException):
            said = f"MLflow said {error.error_code}"
        logger.error("model=%s %s: %s", self.uri, what, said)


class NotLoaded:
    """Stands in for an alias that can't be loaded yet: every check fails, so that the offline check answers for it."""

    version = None

    def __init__(self, uri: str) -> None:
        self.name = uri

    def check(self, draft: Draft) -> Verdict:
        raise ModelUnavailable(f"{self.name} has not been loaded yet.")


def is_alias(uri: str | None) -> bool:
    """Whether the URI names an alias of a registered model, which may move."""
    return bool(uri) and str(uri).startswith("models:/") and "@" in str(uri)
