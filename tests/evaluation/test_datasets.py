"""Examples in MLflow's datasets."""

import pytest

from bot.evaluation import datasets
from bot.evaluation.examples import Example, digest, read_examples
from bot.evaluation.store import StoreError
from bot.verdict import Label


def test_reviewed_rows_join_the_examples_and_can_be_read_back(mlflow_store: str) -> None:
    built_in = read_examples()
    new = Example(text="You again.", label=Label.CAUTION, slice="work", why="It is cold.")
    assert datasets.merge(datasets.DATASET, [new]) == (1, len(built_in) + 1)
    read = datasets.read(datasets.DATASET)
    assert digest(read) == digest([*built_in, new])
    assert new in read
    other = new.model_copy(update={"label": Label.GOOD})
    assert datasets.merge(datasets.DATASET, [other]) == (0, len(built_in) + 1)
    assert {each.label for each in datasets.read(datasets.DATASET) if each.text == new.text} == {Label.GOOD}


def test_a_dataset_that_is_not_there_is_named(mlflow_store: str) -> None:
    with pytest.raises(StoreError, match=r"no dataset theirs.*angel model examples"):
        datasets.read("theirs")
