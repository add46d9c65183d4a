"""A judge of rewrites, and embeddings, each run whole on a stand-in."""

import csv
import json
from typing import Any

import pytest

from bot.evaluation import embeddings, judges
from bot.evaluation.examples import Example
from bot.evaluation.gate import gate
from bot.evaluation.scorecard import Outcome, Share, score
from bot.verdict import Label, Tone
from tests.evaluation.conftest import outcome
from tests.fakes import FakeOpenAI

QUESTION_OF = {
    "keep the draft's point": "judge_point_kept",
    "still sting": "judge_no_sting",
    "something a person would send": "judge_like_a_person",
    "rewrite fun": "judge_fun",
}


def question_of(asked: dict[str, Any]) -> str:
    said = json.dumps(asked["messages"])
    return next(name for words, name in QUESTION_OF.items() if words in said)


def answer(passed: bool) -> str:
    return json.dumps({"result": passed, "rationale": "Because I say so."})


@pytest.fixture
def rewritten(examples: tuple[Example, ...]) -> list[Outcome]:
    return [outcome(each) for each in examples]


def test_a_judge_reads_every_rewrite_and_its_rationale_stands_with_the_row(
    openai_server: FakeOpenAI, rewritten: list[Outcome]
) -> None:
    openai_server.roles["judge-x"] = lambda asked: answer(question_of(asked) != "judge_fun")
    judged = judges.judge(rewritten, "judge-x", openai_server.url)
    card = score(judged, model="x")
    count = sum(each.rewrite is not None for each in rewritten)
    assert {name: (share.count, share.of) for name, share in card.judged.items()} == {
        "judge_point_kept": (count, count),
        "judge_no_sting": (count, count),
        "judge_like_a_person": (count, count),
        "judge_fun": (0, count),
    }
    assert card.judged_good == Share(count=0, of=count)
    said = next(each for each in judged if each.judged).judged[0]
    assert (said.rationale, said.by) == ("Because I say so.", "judge-x")
    before = len(openai_server.requests)
    assert judges.judge(judged, "judge-x", openai_server.url) == judged
    assert len(openai_server.requests) == before, "what it has judged is not asked again"


def test_fun_is_asked_of_playful_drafts_alone(openai_server: FakeOpenAI, rewritten: list[Outcome]) -> None:
    openai_server.roles["judge-x"] = lambda asked: answer(True)
    sober = [
        each.model_copy(update={"example": each.example.model_copy(update={"tone": Tone.PROFESSIONAL})})
        for each in rewritten[:2]
    ]
    card = score(judges.judge(sober, "judge-x", openai_server.url), model="x")
    assert "judge_fun" not in card.judged


def test_agreement_with_people_is_counted_by_question(openai_server: FakeOpenAI) -> None:
    with judges.LABELLED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def said(asked: dict[str, Any]) -> str:
        words = json.dumps(asked["messages"], ensure_ascii=False)
        row = next(row for row in rows if json.dumps(row["rewrite"], ensure_ascii=False)[1:-1] in words)
        name = question_of(asked)
        return answer((row[name] == "yes") != (name == "judge_fun"))  # it has no sense of humour

    openai_server.roles["judge-x"] = said
    agreement = judges.agreement("judge-x", openai_server.url)
    playful = sum(row["tone"] == "playful" for row in rows)
    assert agreement == {
        "judge_point_kept": Share(count=len(rows), of=len(rows)),
        "judge_no_sting": Share(count=len(rows), of=len(rows)),
        "judge_like_a_person": Share(count=len(rows), of=len(rows)),
        "judge_fun": Share(count=0, of=playful),
    }


def test_labelled_rewrites_have_both_answers_to_each_question() -> None:
    with judges.LABELLED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in judges.QUESTIONS:
        assert {row[name] for row in rows} == {"yes", "no"}, name
    assert {row["tone"] for row in rows} == {tone.value for tone in Tone}


def test_the_gate_asks_for_a_judge_that_agrees_with_people(openai_server: FakeOpenAI, rewritten: list[Outcome]) -> None:
    openai_server.roles["judge-x"] = lambda asked: answer(True)
    checked = [
        each.model_copy(update={"own_check": Label.GOOD, "offline_check": Label.GOOD}) if each.rewrite else each
        for each in rewritten
    ]
    assert any("No judge has read" in reason for reason in gate(score(checked, model="x"), None, judged=True))
    judged = judges.judge(checked, "judge-x", openai_server.url)
    for right, reasons in ((24, 0), (12, 1)):
        agreement = {"judge_fun": Share(count=right, of=24)}
        found = gate(score(judged, model="x", agreement=agreement), None, judged=True)
        assert len([reason for reason in found if "agrees with people" in reason]) == reasons
    assert not [reason for reason in gate(score(judged, model="x"), None) if "judge" in reason.casefold()]


def test_a_judge_that_keeps_to_no_schema_is_named(openai_server: FakeOpenAI, rewritten: list[Outcome]) -> None:
    openai_server.roles["judge-x"] = lambda asked: "Well, it depends."
    with pytest.raises(judges.JudgeError, match="judge-x"):
        judges.judge(rewritten[:1], "judge-x", openai_server.url)


def test_nearness_is_the_cosine_of_draft_and_rewrite(openai_server: FakeOpenAI, rewritten: list[Outcome]) -> None:
    same = rewritten[0].example.text
    verdict = rewritten[0].verdict
    assert verdict is not None
    made = [rewritten[0].model_copy(update={"verdict": verdict.model_copy(update={"rewrite": same})}), *rewritten[1:3]]
    found = embeddings.nearness([*made, rewritten[-1]], "text-embedding-3-small")
    assert found[0].nearness == pytest.approx(1)
    assert all(each.nearness is not None and 0 < each.nearness < 1 for each in found[1:3])
    assert found[3].nearness is None, "a fine message has no rewrite"
    assert same in openai_server.embedded
    assert score(found, model="x").metrics()["rewrites_nearness"] > 0


def test_a_server_without_embeddings_is_said(rewritten: list[Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("MLFLOW_OPENAI_RETRIES_ENABLED", "false")
    with pytest.raises(embeddings.EmbeddingsError, match="gave no embeddings"):
        embeddings.nearness(rewritten[:1], "text-embedding-3-small")
