"""Answers kept by model and example."""

import json
import os
import time
from pathlib import Path

import pytest

from bot.evaluation.examples import Example
from bot.evaluation.kept_answers import KEPT_DAYS, KeptAnswers
from bot.evaluation.subject import Subject
from bot.verdict import Label
from tests.evaluation.conftest import outcome
from tests.labelled import FINE, STINGS


def test_kept_outcomes_survive_a_line_cut_short_and_belong_to_their_labels(
    kept: KeptAnswers, examples: tuple[Example, ...]
) -> None:
    kept.add(outcome(examples[0]))
    kept.add(outcome(examples[1], "unreadable"))
    with kept.path.open("a") as file:
        file.write(json.dumps({"example": "0"}) + '\n[]\n{"example": "ab')
    assert kept.read(examples[:3]) == [outcome(examples[0]), outcome(examples[1], "unreadable"), None]
    relabelled = [each.model_copy(update={"label": Label.GOOD}) for each in examples]
    assert kept.read(relabelled[:2]) == [None, None]


@pytest.mark.parametrize("code", ["unavailable", "rate_limited", "late", "misconfigured", "failed"])
def test_an_error_of_the_moment_is_asked_again(kept: KeptAnswers, examples: tuple[Example, ...], code: str) -> None:
    kept.add(outcome(examples[0], code))
    assert kept.read(examples[:1]) == [None]


def test_the_messages_are_not_in_what_is_kept(kept: KeptAnswers, examples: tuple[Example, ...]) -> None:
    for each in examples:
        kept.add(outcome(each))
    assert not any(text in kept.path.read_text() for text in STINGS + FINE)
    assert kept.path.stat().st_mode & 0o077 == 0
    kept.forget()
    kept.forget()
    assert not kept.path.exists()


def test_a_folder_that_cannot_be_written_only_costs_going_on(
    offline_subject: Subject, examples: tuple[Example, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = KeptAnswers(tmp_path / "file", offline_subject, "")
    blocked.add(outcome(examples[0]))
    assert blocked.read(examples[:1]) == [None]
    blocked.forget()
    blocked.forget_old_ones()


def test_another_server_behind_the_same_model_begins_anew(offline_subject: Subject, tmp_path: Path) -> None:
    paths = {KeptAnswers(tmp_path, offline_subject, server).path for server in ("", "http://one/v1", "http://two/v1")}
    assert len(paths) == 3


def test_what_nobody_has_evaluated_for_long_is_deleted(kept: KeptAnswers, examples: tuple[Example, ...]) -> None:
    kept.add(outcome(examples[0]))
    old = kept.path.with_name("0123456789abcdef.jsonl")
    old.write_text("{}\n")
    days = (KEPT_DAYS + 1) * 24 * 3_600
    os.utime(old, (time.time() - days,) * 2)
    kept.forget_old_ones()
    assert not old.exists()
    assert kept.path.exists()
