"""The traces of checks: the names they carry, and how they are found."""

from collections.abc import Iterator

import mlflow
from mlflow.entities import Trace

CHECK, HELPFUL, TEXT = "angel.check", "helpful", "text"


def traces(experiment_id: str, query: str) -> Iterator[Trace]:
    """The traces that match, page after page."""
    client = mlflow.MlflowClient()
    token = None
    while True:
        page = client.search_traces(
            locations=[experiment_id], filter_string=query, max_results=500, page_token=token, include_spans=False
        )
        yield from page
        token = page.token
        if not token:
            return
