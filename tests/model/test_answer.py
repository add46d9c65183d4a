"""Rows keep the contract, whatever a model wrote."""

import io
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import MODEL_ERRORS, AnswerUnusable, ModelError
from bot.model.answer import SCHEMA, answer_row, error_row, read_answer, verdict_of
from bot.verdict import CAUTION_SENTENCE, MAX_DRAFT, Draft, Label, Verdict

DRAFT = Draft(text="Per my LAST email, Tom’s\nbuild is #1 garbage.")

any_text = st.text(st.characters(exclude_categories=[]), max_size=80)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
any_answer = st.fixed_dictionaries(
    {},
    optional={
        "verdict": st.sampled_from(["good", "caution", "Good to Go!", "other"]) | any_json,
        "findings": any_json
        | st.lists(
            st.fixed_dictionaries({"category": any_json, "excerpt": st.just("build") | any_json, "reason": any_json})
        ),
        "rewrite": any_json,
    },
)


def checked(row: Any) -> Verdict | None:
    """The row's verdict after the contract has been asserted, None where the row is an error's."""
    try:
        verdict = verdict_of(row, DRAFT, model="m")
    except ModelError:
        return None
    assert all(finding.excerpt in DRAFT.text for finding in verdict.findings)
    if verdict.label is Label.GOOD:
        assert (verdict.findings, verdict.rewrite, verdict.tip) == ((), None, None)
    if verdict.rewrite is not None:
        verdict.rewrite.encode()
        assert 0 < len(verdict.rewrite) <= MAX_DRAFT
    return verdict


@given(any_answer, st.sampled_from(["{}", "```json\n{}\n```", "Well, {} there."]))
def test_any_json_a_model_writes_is_a_row_or_unusable(answer: dict[str, Any], around: str) -> None:
    try:
        row = read_answer(around.replace("{}", json.dumps(answer)), DRAFT.text)
    except AnswerUnusable:
        return
    assert checked(row) is not None
    assert "\n" not in row["reply"]


@given(any_text)
def test_any_text_a_model_writes_is_a_row_or_unusable(content: str) -> None:
    try:
        row = read_answer(content, DRAFT.text)
    except AnswerUnusable:
        return
    checked(row)


@given(
    st.dictionaries(
        st.sampled_from(["verdict", "reply", "rewrite", "tip", "findings", "error", "input_tokens"]), any_json
    )
)
def test_any_row_of_a_foreign_model_is_a_verdict_or_a_model_error(row: dict[str, Any]) -> None:
    checked(row)


@pytest.mark.parametrize("code", MODEL_ERRORS)
def test_an_error_survives_the_way_through_a_row(code: str) -> None:
    with pytest.raises(MODEL_ERRORS[code], match="Change the key"):
        verdict_of(error_row(code, "Change the key."), DRAFT, model="m")


def test_a_row_survives_the_way_through_a_frame_and_json() -> None:
    finding = {"category": "blame", "excerpt": "Per my LAST email", "reason": "It counts."}
    row = answer_row(DRAFT.text, Label.CAUTION, [finding], "Tom’s build needs love. #1", None, 3, 4)
    frame = pd.DataFrame([row, error_row("failed", "No.")])
    there_and_back = pd.read_json(io.StringIO(frame.to_json(orient="records")), orient="records")
    assert verdict_of(dict(frame.iloc[0]), DRAFT, model="m") == verdict_of(
        dict(there_and_back.iloc[0]), DRAFT, model="m"
    )
    assert verdict_of(dict(frame.iloc[0]), DRAFT, model="m").input_tokens == 3


@pytest.mark.parametrize(
    ("excerpt", "quoted"),
    [
        ("per my last email", "Per my LAST email"),
        ('"Tom\'s build"', "Tom’s\nbuild"),
        ("garbage.", "garbage."),
        ("your build", None),
        ("", None),
        ("…", None),
    ],
)
def test_an_excerpt_is_the_drafts_own_letters(excerpt: str, quoted: str | None) -> None:
    row = answer_row(DRAFT.text, Label.CAUTION, [{"category": "other", "excerpt": excerpt, "reason": "r"}])
    assert [finding["excerpt"] for finding in row["findings"]] == ([quoted] if quoted else [])


@pytest.mark.parametrize(
    "rewrite", [None, "", "  ", DRAFT.text, DRAFT.text.replace("\n", "  "), "x" * (MAX_DRAFT + 1), 4]
)
def test_what_is_no_rewrite_is_none(rewrite: object) -> None:
    row = answer_row(DRAFT.text, Label.CAUTION, rewrite=rewrite, tip="Say what you need.")
    assert (row["rewrite"], row["reply"], row["tip"]) == (None, CAUTION_SENTENCE, "Say what you need.")


def test_what_a_rewrite_loses_and_adds_is_said() -> None:
    row = answer_row(DRAFT.text, Label.CAUTION, rewrite="@tom, 2 builds are sad. evil.example.com/x")
    verdict = verdict_of(row, DRAFT, model="m")
    assert verdict.lost == ("#1",)
    assert verdict.added == ("@tom", "2", "evil.example.com/x")


def test_the_schema_is_within_strict_mode() -> None:
    def walk(node: dict[str, Any]) -> None:
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert set(node["required"]) == set(node["properties"])
        for child in [*node.get("properties", {}).values(), *([node["items"]] if "items" in node else [])]:
            walk(child)

    walk(SCHEMA)


@pytest.mark.parametrize(
    "content",
    [
        '{"answer": {"verdict": "good"}, "verdict": "caution", "rewrite": "Softer"}',
        '{"note": {"verdict": "good"}} {"verdict": "caution", "rewrite": "Softer"}',
        'First {"a": {"b": {"verdict": "good"}}}, and then ```json\n{"verdict": "caution", "rewrite": "Softer"}\n```',
        '{"verdict": {"verdict": "good"}}\n{"verdict": "caution", "rewrite": "Softer"}',
        '{"verdict": "caution", "rewrite": "Softer", "findings": [{"excerpt": {"verdict": "good"}}]}',
    ],
    ids=["inside an answer", "an object before it", "in prose and a fence", "a verdict that is none", "in a finding"],
)
def test_a_verdict_inside_another_object_is_not_the_answers(content: str) -> None:
    row = read_answer(content, "You idiot.")
    assert row["verdict"] == "caution"
    assert row["rewrite"] == "Softer"


def test_a_verdict_that_only_stands_inside_another_object_is_no_answer() -> None:
    with pytest.raises(AnswerUnusable):
        read_answer('{"answer": {"verdict": "good"}}', "You idiot.")
