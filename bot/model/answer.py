"""A model's answer: from what a chat model wrote to one row of output, and from a row to a Verdict. Pure."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, TypedDict

from bot.errors import MODEL_ERRORS, AnswerUnusable, ModelError
from bot.particulars import differences
from bot.verdict import (
    CAUTION_SENTENCE,
    GOOD_SENTENCE,
    JUDGEMENTS,
    MAX_DRAFT,
    UNREAD_SENTENCE,
    Category,
    Draft,
    Label,
    Verdict,
    one_line,
    whole,
)


class ErrorCell(TypedDict):
    """Why a row has no verdict: `code` of a ModelError, `draft` for a text that can't be checked, or `language`."""

    code: str
    message: str


class Row(TypedDict):
    """One row of a model's output. Either `verdict` or `error` is set."""

    verdict: str | None
    reply: str
    rewrite: str | None
    tip: str | None
    findings: list[dict[str, str]]
    error: ErrorCell | None
    input_tokens: int | None
    output_tokens: int | None


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        # What it noticed comes first, so that the verdict follows from it and not the other way round.
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "category": {"type": "string", "enum": [category.value for category in Category]},
                    "excerpt": {"type": "string", "description": "quoted from the draft, letter for letter"},
                    "reason": {"type": "string", "description": "one short, kind sentence to the author"},
                },
                "required": ["category", "excerpt", "reason"],
                "additionalProperties": False,
            },
        },
        "verdict": {"type": "string", "enum": [label.value for label in JUDGEMENTS]},
        "rewrite": {
            "type": ["string", "null"],
            "description": "the whole message again; null when the verdict is good",
        },
    },
    "required": ["findings", "verdict", "rewrite"],
    "additionalProperties": False,
}
"""The JSON schema of a chat model's answer, within what OpenAI's strict mode allows."""


def answer_row(
    draft: str,
    label: Label,
    findings: Iterable[object] = (),
    rewrite: object = None,
    tip: object = None,
    input_tokens: object = None,
    output_tokens: object = None,
) -> Row:
    """One row that keeps the contract, whatever a model put in: a finding quotes the draft, `good` has no rewrite."""
    quotable = _Quotable(draft)
    kept = [finding for finding in (_finding(quotable, each) for each in findings) if finding]
    caution = label is Label.CAUTION
    written = _rewrite(draft, rewrite) if caution else None
    return Row(
        verdict=label.value,
        reply=_reply(label, written),
        rewrite=written,
        tip=_text(tip) if caution and not written else None,
        findings=kept if caution else [],
        error=None,
        input_tokens=count(input_tokens),
        output_tokens=count(output_tokens),
    )


def error_row(code: str, message: str) -> Row:
    """The row of a message that got no verdict. `message` is an AngelError's text: safe to show, without the draft."""
    return Row(
        verdict=None,
        reply=f"This message could not be checked. {message}",
        rewrite=None,
        tip=None,
        findings=[],
        error=ErrorCell(code=code, message=message),
        input_tokens=None,
        output_tokens=None,
    )


def unread_row() -> Row:
    """The row of a message in a language that the model can't read."""
    return error_row(_LANGUAGE, UNREAD_SENTENCE)


_LANGUAGE = "language"


def read_answer(content: str, draft: str) -> Row:
    """What a chat model wrote, as a row: JSON, JSON in a fence or in prose, or the plain sentence of MLflow's tutorial.

    Raises AnswerUnusable for anything else.
    """
    if not content.lstrip().startswith(("{", "```")):
        # Many open models think aloud first, and try answers out there; not every server takes that away.
        content = content.rpartition("</think>")[2]
    for answer in _json_objects(content):
        label = _label(answer.get("verdict"))
        if label:
            findings = answer.get("findings")
            return answer_row(draft, label, findings if isinstance(findings, list) else (), answer.get("rewrite"))
    return _read_sentence(content, draft)


def verdict_of(
    row: Mapping[str, Any], draft: Draft, *, clean: bool = False, model: str, version: str | None = None
) -> Verdict:
    """The Verdict in one row of a model's output, whoever's model it is.

    `clean` says that the row comes from `answer_row` or `error_row`; any other is made to keep the contract here.
    A row whose error is the language gives an `unread` Verdict. Raises the ModelError that any other `error` names, or
    AnswerUnusable where the row has no verdict.
    """
    error = row.get("error")
    if isinstance(error, Mapping):
        if error.get("code") == _LANGUAGE:
            return Verdict(label=Label.UNREAD, model=model, version=version)
        kind = MODEL_ERRORS.get(str(error.get("code")), ModelError)
        raise kind(str(error.get("message") or "The model reported an error without saying which."))
    label = _label(row.get("verdict"))
    if label is None:
        raise AnswerUnusable("The model's output has no column `verdict` with `good` or `caution` in it.")
    if not clean:
        findings = row.get("findings")
        row = answer_row(
            draft.text,
            label,
            # A DataFrame read back from a file or a server holds lists as arrays, and nothing as NaN.
            findings if isinstance(findings, Iterable) and not isinstance(findings, str) else (),
            row.get("rewrite"),
            row.get("tip"),
            row.get("input_tokens"),
            row.get("output_tokens"),
        )
    lost, added = differences(draft.text, row["rewrite"]) if row["rewrite"] else ((), ())
    return Verdict(
        label=label,
        findings=row["findings"],
        rewrite=row["rewrite"],
        tip=row["tip"],
        lost=lost,
        added=added,
        model=model,
        version=version,
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
    )


def _reply(label: Label, rewrite: str | None) -> str:
    if label is Label.GOOD:
        return GOOD_SENTENCE
    return f'{CAUTION_SENTENCE} Suggested rewrite: "{one_line(rewrite)}"' if rewrite else CAUTION_SENTENCE


def _label(value: object) -> Label | None:
    if not isinstance(value, str):
        return None
    word = value.strip().strip(".!").casefold()
    if word in ("good", "good to go"):
        return Label.GOOD
    return Label.CAUTION if word == "caution" else None


def _text(value: object) -> str | None:
    """The text a person can read of a value a model gave, or None where there is none."""
    if not isinstance(value, str):
        return None
    return whole(value).strip() or None  # JSON can spell half an emoji


def _rewrite(draft: str, value: object) -> str | None:
    text = _text(value)
    if text is None or len(text) > MAX_DRAFT or one_line(text) == one_line(draft):
        return None
    return text


def count(value: object) -> int | None:
    """A number of tokens, None for what is none; a DataFrame turns integers with gaps into floats."""
    if isinstance(value, bool) or not hasattr(value, "__int__") or isinstance(value, str):
        return None
    number = float(value)  # type: ignore[arg-type]  # numpy's integers have __int__ and __float__
    return int(number) if math.isfinite(number) and number >= 0 else None


class _Quotable:
    """A draft, and where a model's quotation of it stands. Models straighten quotes, fold blanks and change capitals.

    Linear in the draft for each quotation: a pattern made of a quotation would take seconds for a bad one.
    """

    def __init__(self, draft: str) -> None:
        self._draft = draft

    def find(self, excerpt: str) -> str | None:
        """The excerpt as it stands in the draft."""
        if excerpt in self._draft:
            return excerpt
        wanted = _folded(excerpt.strip("\"'“”‘’…. "))[0].rstrip()
        text, places = self._folded
        at = text.find(wanted) if wanted else -1
        return self._draft[places[at] : places[at + len(wanted) - 1] + 1] if at != -1 else None

    @cached_property
    def _folded(self) -> tuple[str, list[int]]:
        return _folded(self._draft)


def _finding(draft: _Quotable, value: object) -> dict[str, str] | None:
    if not isinstance(value, Mapping):
        return None
    excerpt, reason = _text(value.get("excerpt")), _text(value.get("reason"))
    quoted = excerpt and draft.find(excerpt)
    if not quoted:
        return None
    try:
        category = Category(str(value.get("category")).strip().casefold())
    except ValueError:
        category = Category.OTHER
    return {"category": category.value, "excerpt": quoted, "reason": one_line(reason or "")}


_STRAIGHT = {**dict.fromkeys("’‘", "'"), **dict.fromkeys("“”", '"')}


def _folded(text: str) -> tuple[str, list[int]]:
    """The text in small letters, with straight quotes and single blanks, and where each of its characters stood."""
    folded: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        if not character.isspace():
            small = character.lower()
            folded.append(_STRAIGHT.get(character, small if len(small) == 1 else character))
        elif folded and folded[-1] != " ":
            folded.append(" ")
        else:
            continue
        places.append(at)
    return "".join(folded), places


def _json_objects(content: str) -> Iterable[dict[str, Any]]:
    """Every JSON object that stands at the top of the content, in a fence or between words.

    Gives up where ten times the content has been read in vain: of `{"a":` a thousand times each is the start of one.
    """
    decoder = json.JSONDecoder()
    at = content.find("{")
    in_vain = 0
    while at != -1 and in_vain <= 10 * len(content):
        try:
            value, end = decoder.raw_decode(content, at)
        except (ValueError, RecursionError) as error:
            in_vain += (error.pos if isinstance(error, json.JSONDecodeError) else len(content)) - at
            end = at + 1
        else:
            if isinstance(value, dict):
                yield value
        at = content.find("{", end)


_SUGGESTION = re.compile(
    r"""^(?:suggested\s+\w+|suggestion|corrected\s+version|rewrite)?\s*[:\-–]?\s*""", re.IGNORECASE
)


def _read_sentence(content: str, draft: str) -> Row:
    text = content.strip()
    plain = one_line(text).casefold()
    caution, good = CAUTION_SENTENCE.casefold().rstrip("."), GOOD_SENTENCE.casefold().rstrip("!")
    if plain.lstrip("\"'*“").startswith(caution):
        rest = re.split(r"pressing\s+send\W*", text, maxsplit=1, flags=re.IGNORECASE)[1]
        rewrite = _SUGGESTION.sub("", rest, count=1).strip().strip('"“”*').strip()
        return answer_row(draft, Label.CAUTION, rewrite=rewrite)
    if plain.lstrip("\"'*“").startswith(good):
        return answer_row(draft, Label.GOOD)
    raise AnswerUnusable(
        "The model's answer could not be read: neither JSON with a verdict nor one of the two sentences. "
        "Small models often can't keep to the schema; name a larger one in OPENAI_MODEL."
    )
