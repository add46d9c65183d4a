"""The examples as MLflow's evaluation datasets: made from a CSV, added to after review, and read back."""

import json
from collections.abc import Iterable
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.genai.datasets import EvaluationDataset, create_dataset, get_dataset, set_dataset_tags

from bot.errors import AngelError
from bot.evaluation.examples import EXAMPLES, Example, digest
from bot.evaluation.scorecard import Scorecard
from bot.evaluation.store import EVALUATIONS, StoreError, mlflow_errors, open_to_write, silent

SCHEME = "datasets:/"
DATASET = "text-message-angel-examples"
"""The dataset that the built-in examples are in, and the texts that people gave, once somebody has reviewed them."""
_EXAMPLES_TAG = "examples"
"""A dataset's tag: the digest of the examples that are in it."""


def of(card: Scorecard, data: str) -> EvaluationDataset:
    """The dataset of these rows, made or brought up to date: MLflow links the evaluation to it.

    The built-in examples have one of their own; another file has one of its name.
    """
    name = DATASET if data == EXAMPLES.name else data.removeprefix(SCHEME)
    return _merged(name, [row.example for row in card.rows], add=False)


def merge(name: str, examples: Iterable[Example]) -> tuple[int, int]:
    """Add reviewed examples to a dataset, which is made from the built-in ones where it is not there.

    Returns how many are new to it, and how many it has now. Raises StoreError.
    """
    open_to_write(mlflow.get_tracking_uri())
    new = list(examples)
    with mlflow_errors("add to the dataset"), silent():
        mlflow.set_experiment(EVALUATIONS)
        found = _found(name)
        before = _examples(found) if found is not None else []
        if found is None and name == DATASET:
            from bot.evaluation.examples import read_examples

            before = list(read_examples())
        known = {each.draft: each for each in before}
        added = sum(each.draft not in known for each in new)
        _merged(name, [*({**known, **{each.draft: each for each in new}}).values()], add=True)
    return added, len(known) + added


def read(name: str) -> tuple[Example, ...]:
    """The examples in a dataset. Raises StoreError."""
    with mlflow_errors("read the dataset"), silent():
        found = _found(name)
        examples = _examples(found) if found is not None else []
    if not examples:
        raise StoreError(f"There is no dataset {name} with examples in it. Add some: angel model examples FILE.csv")
    return tuple(examples)


def _found(name: str) -> EvaluationDataset | None:
    try:
        found: EvaluationDataset = get_dataset(name=name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return found


def _merged(name: str, examples: list[Example], *, add: bool) -> EvaluationDataset:
    found = _found(name) or create_dataset(name=name, tags={"made_by": "angel"})
    now = digest(examples)
    tags = found.tags or {}
    # Rows are only added, and an evaluation of some of them (--limit) is of the same dataset.
    if tags.get(_EXAMPLES_TAG) != now and (add or _EXAMPLES_TAG not in tags or not _within(examples, found)):
        found.merge_records([_record(each) for each in examples])
        set_dataset_tags(dataset_id=found.dataset_id, tags={_EXAMPLES_TAG: now, "rows": str(len(examples))})
    return found


def _within(examples: Iterable[Example], dataset: EvaluationDataset) -> bool:
    known = {(each.draft, each.label) for each in _examples(dataset)}
    return all((each.draft, each.label) in known for each in examples)


def _record(example: Example) -> dict[str, Any]:
    return {
        "inputs": example.draft.model_dump(mode="json", exclude_none=True),
        "expectations": {"verdict": example.label.value},
        "tags": {
            "slice": example.slice,
            "language": example.language,
            "why": example.why,
            **({"category": example.category.value} if example.category else {}),
        },
    }


def _examples(dataset: EvaluationDataset) -> list[Example]:
    """The dataset's rows as examples; rows of another form, which somebody added by hand, are named as such."""
    found = []
    for row in dataset.to_df().to_dict("records"):
        inputs, expectations, tags = (_mapping(row.get(name)) for name in ("inputs", "expectations", "tags"))
        try:
            kept = {name: value for name, value in tags.items() if name in ("category", "slice", "language", "why")}
            found.append(Example(**inputs, label=expectations["verdict"], **kept))
        except (KeyError, TypeError, ValueError) as error:
            raise AngelError(
                "A row of the dataset is no example: it needs the input `text` and the expectation `verdict`, "
                "which is good or caution."
            ) from error
    return found


def _mapping(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        value = json.loads(value)
    return dict(value) if isinstance(value, dict) else {}
