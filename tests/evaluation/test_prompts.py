"""The Prompt Registry is read as well as written."""

import mlflow.genai
import pytest
from mlflow.tracking import MlflowClient

from bot.evaluation.prompts import BUILT_IN, PROMPT, chosen
from bot.evaluation.registry import Registry
from bot.evaluation.store import StoreError
from bot.model import chat
from bot.model.prompt import INSTRUCTIONS


def test_the_built_in_instructions_have_no_placeholder() -> None:
    from bot.evaluation.prompts import refuse_placeholders

    refuse_placeholders(INSTRUCTIONS)


def test_what_a_person_made_in_mlflow_is_taken_up(mlflow_store: str) -> None:
    assert chosen(None).version == chosen(None).version == 1
    mlflow.genai.register_prompt(name=PROMPT, template="Be kind, says Maria.")
    assert (chosen(None).version, chosen(None).instructions) == (2, "Be kind, says Maria.")
    assert chosen(BUILT_IN).version == 1, "the built-in ones are the version they were, not another beside it"
    assert chosen(None, "Be kind, says Maria.").version == 2
    assert chosen(None, "Be brief.").version == 3
    assert chosen(f"prompts:/{PROMPT}/2").instructions == "Be kind, says Maria."
    MlflowClient().set_prompt_alias(PROMPT, "mine", 2)
    assert chosen(f"prompts:/{PROMPT}@mine").version == 2


@pytest.mark.parametrize("wanted", [f"prompts:/{PROMPT}/9", f"prompts:/{PROMPT}@nobody", "prompts:/other/1"])
def test_a_prompt_that_is_not_there_is_named(mlflow_store: str, wanted: str) -> None:
    with pytest.raises(StoreError, match=r"(?s)There is no prompt prompts:/.*Name a version or an alias"):
        chosen(wanted)


@pytest.mark.parametrize("text", ["Judge {text} kindly.", "Judge {{text}}.", "Judge {{ draft }} in {tone}."])
def test_placeholders_are_refused_with_a_word_on_how_the_draft_travels(mlflow_store: str, text: str) -> None:
    with pytest.raises(StoreError, match=r"placeholders.*the draft travels in a message of its own"):
        Registry(mlflow_store).prompt(None, text)
    mlflow.genai.register_prompt(name=PROMPT, template=text)
    with pytest.raises(StoreError, match="placeholders"):
        chosen(None)


def test_a_chat_prompt_is_refused(mlflow_store: str) -> None:
    mlflow.genai.register_prompt(name=PROMPT, template=[{"role": "user", "content": "Be kind."}])
    with pytest.raises(StoreError, match="one text"):
        chosen(None)


def test_aliases_of_prompts_follow_those_of_the_model(mlflow_store: str) -> None:
    registry = Registry(mlflow_store)
    for text in ("One.", "Two."):
        registry.log(chat.config("gpt-x", instructions=text))

    def pointed() -> dict[str, int]:
        client = MlflowClient()
        found = {}
        for alias in ("candidate", "champion", "previous"):
            prompt = mlflow.genai.load_prompt(f"prompts:/{PROMPT}@{alias}", allow_missing=True, cache_ttl_seconds=0)
            if prompt is not None:
                found[alias] = int(prompt.version)
        assert client
        return found

    assert pointed() == {"candidate": 2}
    registry.make_champion(registry.version("1"))
    registry.make_champion(registry.version("2"))
    assert pointed() == {"candidate": 2, "champion": 2, "previous": 1}
    registry.roll_back()
    assert pointed() == {"candidate": 2, "champion": 1}
    run = MlflowClient().get_run(str(registry.version("1").run_id))
    assert not [name for name in run.data.params if "instructions" in name or "schema" in name]
    names = {MlflowClient().get_model_version("text-message-angel", number).source for number in "12"}
    assert len(names) == 2
