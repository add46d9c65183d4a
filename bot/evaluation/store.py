"""Where MLflow keeps things: the store's address, the experiment's name, and MLflow's errors in words of ours."""

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import AngelError

EXPERIMENT = "Text Message Angel"

DEFAULT_STORE = "sqlite:///mlflow.db"
"""MLflow's own default, said aloud: a file in the working directory."""


class StoreError(AngelError):
    """MLflow could not do what was asked. The text tells the engineer what to change."""


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
    except (MlflowException, SQLAlchemyError) as error:
        code = error.error_code if isinstance(error, MlflowException) else type(error).__name__
        raise StoreError(
            f"MLflow could not {what} ({code}). "
            "Check MLFLOW_TRACKING_URI, and that the server there is up and lets you in."
        ) from error
