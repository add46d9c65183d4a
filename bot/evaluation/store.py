"""Where MLflow keeps things: the experiments, opening the store, and MLflow's errors in words of ours."""

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from mlflow.exceptions import MlflowException

from bot.errors import AngelError
from bot.model.local_store import DEFAULT_STORE, make_private

EXPERIMENT = "Text Message Angel"
"""The models that were logged, and the checks of production."""
MODEL = "text-message-angel"
"""The registered model."""
EVALUATIONS = "Text Message Angel evaluations"
"""The evaluations, apart from them: each has hundreds of traces, and none of them is anybody's check."""


class StoreError(AngelError):
    """MLflow could not do what was asked. The text tells the engineer what to change."""


def address(tracking_uri: str | None) -> str:
    """The address of the store, which MLflow goes to from now on."""
    chosen = tracking_uri or DEFAULT_STORE
    mlflow.set_tracking_uri(chosen)
    return chosen


def open_to_write(tracking_uri: str) -> None:
    """To be called before the first thing is written: a store that is a file is made for this account alone."""
    try:
        make_private(tracking_uri)
    except OSError as error:
        raise StoreError(
            f"The MLflow store can't be made here ({error.strerror}). "
            "Set MLFLOW_TRACKING_URI, or go to a folder of yours."
        ) from error


@contextmanager
def silent() -> Iterator[None]:
    """Without what MLflow prints: an emoji for every run, a bar for every download."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextmanager
def mlflow_errors(what: str) -> Iterator[None]:
    """MLflow's errors, as one that says what to do."""
    try:
        yield
    except ImportError as error:
        # The driver of a database, which its dialect imports when it is first used.
        raise StoreError(
            f"MLFLOW_TRACKING_URI needs the Python package {error.name}, which is not installed. "
            f"Install it, or use an MLflow server: pip install {error.name}"
        ) from error
    except Exception as error:
        if not isinstance(error, MlflowException) and not _is_of_the_database(error):
            raise
        code = error.error_code if isinstance(error, MlflowException) else type(error).__name__
        raise StoreError(
            f"MLflow could not {what} ({code}). "
            "Check MLFLOW_TRACKING_URI, and that the server there is up and lets you in."
        ) from error


def _is_of_the_database(error: Exception) -> bool:
    """Whether it is SQLAlchemy's. Told by its module: where MLflow only speaks to a server, that may be missing."""
    return any(kind.__module__.startswith("sqlalchemy") for kind in type(error).__mro__)
