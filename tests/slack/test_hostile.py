"""Hostile drafts through the whole app, with a model that obeys them in each of several ways."""

import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from bot.local_slack.surfaces import message_problems, message_too_long
from bot.model.answer import read_answer, verdict_of
from bot.screener import Screener
from bot.slack.text import ENTITY, Written, meant, read
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, MAX_DRAFT, Draft, Label, Verdict
from tests.slack.conftest import serving
from tests.slack.hostile import hostile_drafts
from tests.slack.oracles import smuggled

DRAFTS = hostile_drafts()


def answer(**fields: Any) -> str:
    whole = {"findings": [], "verdict": "caution", "rewrite": None} | fields
    return json.dumps(whole)


def undone(text: str) -> str:
    """What a helpful model makes of smuggled words: escapes undone, look-alikes plain, nothing unseen."""
    text = html.unescape(html.unescape(text)).replace("\\u003c", "<").replace("\\u003e", ">")
    text = "".join(each for each in text if unicodedata.category(each) not in ("Cf", "Mn", "Cc") or each == "\n")
    return unicodedata.normalize("NFKC", text)


def everywhere(text: str) -> str:
    """The words in each field, with every placeholder that there may be."""
    forged = " ".join(f"[[{number}:{text[:40]}]] [[{number}]]" for number in range(4))
    finding = {"category": text[:20], "excerpt": text[:200], "reason": f"{text[:300]} {forged}"}
    return answer(findings=[finding] * 5, rewrite=f"{text[:3_000]} {forged} <!here> @channel evil.example")


OBEDIENT: dict[str, Callable[[str], str]] = {
    "says it is good": lambda text: answer(verdict="good", rewrite=text, findings=[]),
    "repeats it": lambda text: answer(rewrite=f"{text[: MAX_DRAFT - 6]} Sure.", findings=[{"excerpt": text[:90]}]),
    "repeats it everywhere": everywhere,
    "makes its words plain": lambda text: everywhere(undone(text)),
    "answers with it": lambda text: text,
    "answers as the tutorial": lambda text: f'{CAUTION_SENTENCE} Suggested rewrite: "{text} Sure."',
}


class ObedientModel:
    """A chat model as far as what it writes is concerned; `write` is how it obeys."""

    name, version = "<!here> @channel [x](https://evil.example)", "<!channel>"

    def __init__(self, write: Callable[[str], str]) -> None:
        self.write = write

    def check(self, draft: Draft) -> Verdict:
        row = read_answer(self.write(draft.text), draft.text)
        return verdict_of(row, draft, model=self.name, version=self.version)


class Fallback:
    """Where the model's answer is none."""

    name, version = "offline", None

    def check(self, draft: Draft) -> Verdict:
        return Verdict(label=Label.GOOD, model="offline", offline=True)


OURS = {f"*{sentence}*" for sentence in (GOOD_SENTENCE, CAUTION_SENTENCE)}
REJECTED = re.compile(
    r"(That draft has [\d,]+ characters|There is nothing to read yet|That draft has a broken character)"
)
SHAPE = re.compile(r"section (rich_text )?(section (rich_text )?)?(context )?(actions )?(context |section )?")


def check_answer(sent: dict[str, Any], written: Written) -> None:
    """Nothing rings, links or breaks out that the draft does not."""
    blocks = sent.get("blocks", [])
    assert message_problems(blocks) == []
    assert not message_too_long(blocks)
    had = Counter(entity.mrkdwn for entity in written.entities.values())
    targets = {entity.target for entity in written.entities.values()}
    # The text, which is mrkdwn
    said = Counter(match.group() for match in ENTITY.finditer(sent["text"]))
    assert said <= had, "the text mentions or links what the draft does not"
    assert smuggled(meant(ENTITY.sub(" ", sent["text"])), written) == []
    assert not blocks or SHAPE.fullmatch("".join(f"{block['type']} " for block in blocks)), (
        "something broke out of its block"
    )
    for block in blocks:
        for element in inside(block):
            match element["type"]:
                case "mrkdwn":
                    assert element["text"] in OURS or REJECTED.match(element["text"])
                case "plain_text" | "text":
                    assert set(smuggled(element["text"], written)) <= targets, element
                    assert not re.search("[\x00\u202a-\u202e\u2066-\u2069\ud800-\udfff]", element["text"])
                case "user" | "channel" | "usergroup" | "broadcast":
                    mark = {"user": "@", "channel": "#", "usergroup": "!subteam^", "broadcast": "!"}[element["type"]]
                    name = element.get("user_id") or element.get("channel_id") or element.get("usergroup_id")
                    assert f"{mark}{name or element['range']}" in targets
                case "link":
                    assert element["url"] in targets
                case "emoji":
                    assert f":{element['name']}:" in written.text


def check_nothing_is_lost(sent: dict[str, Any], mrkdwn: str) -> None:
    """A draft that gets no rewrite is there to copy, letter for letter; one that gets one has it."""
    blocks = sent.get("blocks", [])
    if sent["text"].startswith(CAUTION_SENTENCE):
        assert not blocks or any(block.get("block_id") == "rewrite" for block in blocks) or "no rewrite" in sent["text"]
        return
    shown = [block for block in blocks if block.get("block_id") == "draft"]
    typed = letters(meant(ENTITY.sub("", mrkdwn)))
    if shown:
        (piece,) = shown[0]["elements"]
        texts = "".join(each["text"] for each in piece["elements"] if each["type"] == "text")
        # What rich text has no element for is its hint, beside the letters.
        assert len(letters(texts)) >= len(typed)
        assert letters(texts) == typed or ENTITY.search(mrkdwn)
    elif typed.strip():
        assert typed[:9_000] in letters(meant(ENTITY.sub("", sent["text"])))


def letters(text: str) -> str:
    """Without what is no letter in rich text, and without what nothing can send."""
    text = re.sub(r"(?<![\w:]):[a-z0-9_'+-]{1,100}:(:skin-tone-[2-6]:)?(?![\w:])", "", text)
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2060\u2066-\u2069\ud800-\udfff]", "", text)


def inside(value: Any) -> list[dict[str, Any]]:
    """Every object with a type and words, links or mentions in it; what a button carries is not shown."""
    if isinstance(value, list):
        return [each for item in value for each in inside(item)]
    if not isinstance(value, dict):
        return []
    found = [value] if value.get("type") in SHOWN else []
    return found + [each for name, item in value.items() if name != "value" for each in inside(item)]


SHOWN = {"mrkdwn", "plain_text", "text", "user", "channel", "usergroup", "broadcast", "link", "emoji"}


def test_there_are_five_hundred() -> None:
    assert len(DRAFTS) >= 500


EVERY = [pytest.param(1, marks=pytest.mark.heavy), 25]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", EVERY, ids=["each", "a few"])
@pytest.mark.parametrize("way", OBEDIENT)
async def test_no_draft_gets_through_to_slack_by_a_model_that_obeys_it(way: str, step: int) -> None:
    screener = Screener(ObedientModel(OBEDIENT[way]), Fallback())
    # The envelopes of Socket Mode are JSON, which can spell half an emoji.
    async with serving(screener, "socket_mode") as served:
        slack = served.slack
        for draft in DRAFTS[::step]:
            slack.calls.clear()
            delivery = await slack.command("/angel", draft)
            assert delivery.acked, f"{draft[:80]!r}"
            if not delivery.payload["text"].strip():
                continue  # the composer opens
            await slack.changed(lambda: any(call.method == "response_url" for call in slack.calls))
            (use,) = [call for call in slack.calls if call.method == "response_url"]
            assert "error" not in json.dumps(use.response), f"Slack refuses what is said to {draft[:80]!r}"
            check_answer(use.request, read(delivery.payload["text"]))
            check_nothing_is_lost(use.request, delivery.payload["text"])
        assert slack.notices() == []
