"""What Angel uses of MLflow that its documentation doesn't promise, in one place. A test names each that changes."""

from typing import Any
from urllib.parse import urlsplit

from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_RUN_TYPE, MLFLOW_RUN_TYPE_GENAI_EVALUATE, MLFLOW_USER

EVALUATION_RUN = {MLFLOW_RUN_TYPE: MLFLOW_RUN_TYPE_GENAI_EVALUATE}
"""The tag that makes a run an evaluation in MLflow's pages, as mlflow.genai.evaluate sets it."""


_TIMES_ASKED = 2
_DATABASES = {"postgresql", "mysql", "mssql"}


def bound_retries_of_database(tracking_uri: str) -> None:
    """Have MLflow ask a database that is down twice in a row.

    It asks ten times in 100 s, and no setting of it changes that. For commands that somebody waits for.
    """
    if urlsplit(tracking_uri).scheme.partition("+")[0] in _DATABASES:
        from mlflow.store.db import utils  # which needs SQLAlchemy; without it no database can be used

        utils.MAX_RETRY_COUNT = _TIMES_ASKED


def user() -> str:
    """Who this is, as MLflow writes it on every run: its credentials' name, else that of the account."""
    return str(resolve_tags().get(MLFLOW_USER, "unknown"))


def model_id_of(version: ModelVersion) -> str | None:
    """The logged model that a registered version is: outside of Databricks it stands in the version's source alone."""
    source = str(version.source or "")
    found = version.model_id or (source.removeprefix("models:/") if source.startswith("models:/m-") else None)
    return str(found) if found else None


def config_of(described: Model) -> dict[str, Any]:
    """The `model_config` that a pyfunc model was logged with; MLflow keeps it in the flavor's own part."""
    return dict(described.flavors.get("python_function", {}).get("config") or {})
