"""Labelled messages, and how a CSV of them is read.

The columns of `examples.csv`, of which another file needs only the first two:

- `text`: the message, as somebody would type it.
- `label`: `good` or `caution`. Only this is scored.
- `category`: which sting a `caution` row carries, in the words of Category; empty where the label is `good`.
- `slice`: what the row is there to test. `tutorial` (the five messages of MLflow's tutorial), `work`, `friends` and
  `family` (everyday messages), `banter` (must pass), `contempt` (a joke is no excuse), `firm` (hard but fair), `quoted`
  (somebody else's words), `self_directed`, `technical` (code and shop talk), `instructions` (a draft that speaks to the
  model), `particulars` (numbers, names, links, mentions and dates that a rewrite must keep), `languages`.
- `language`: its ISO 639-1 code, `en` where empty.
- `why`: the reason for the label, in one sentence.
- `tone`, `context`: what the author asks for, as in Draft.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.bulk import as_typed
from bot.errors import AngelError, DraftRejected
from bot.verdict import JUDGEMENTS, Category, Draft, Label, Tone

EXAMPLES = Path(__file__).with_name("examples.csv")
COLUMNS = ("text", "label", "category", "slice", "language", "why", "tone", "context")
_NEEDED = ("text", "label")
_MORE = "(more)"  # where DictReader puts cells that no column names
_ERRORS_SHOWN = 10


class Example(BaseModel):
    """A labelled message. The columns are described in the module's docstring."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    text: str
    label: Label
    category: Category | None = None
    slice: str = "unsorted"
    language: str = "en"
    why: str = ""
    tone: Tone = Tone.PLAYFUL
    context: str | None = None

    @property
    def draft(self) -> Draft:
        return Draft(text=self.text, tone=self.tone, context=self.context)


def read_examples(path: Path = EXAMPLES) -> tuple[Example, ...]:
    """The examples of a CSV in UTF-8, in its order; a row that stands there twice counts once.

    Raises AngelError that names the lines to mend, never their text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _examples(csv.DictReader(file, restkey=_MORE, restval=""), path.name)
    except OSError as error:
        raise AngelError(f"{path} could not be opened ({error.strerror}). Name a CSV file that exists.") from error
    except UnicodeDecodeError:
        # Not chained: the error carries the bytes around the broken one.
        raise AngelError(f"{path.name} is not UTF-8. Save it as CSV UTF-8 and try again.") from None


def digest(examples: Iterable[Example]) -> str:
    """Twelve hexadecimal digits that change when a message, its label, tone or context does, and not with the order."""
    asked = sorted(json.dumps([each.text, each.label, each.tone, each.context]) for each in examples)
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:12]


def _examples(reader: "csv.DictReader[str]", name: str) -> tuple[Example, ...]:
    examples: dict[tuple[Draft, Label], Example] = {}
    problems: list[str] = []
    line = 1
    try:
        missing = [column for column in _NEEDED if column not in (reader.fieldnames or ())]
        if missing:
            raise AngelError(
                f"{name} has no column {' and no column '.join(f'`{column}`' for column in missing)}. "
                "Its first line names the columns; `text` and `label` are needed."
            )
        # A message may run over several lines, so a row's line is where the one before it ended.
        line = reader.line_num + 1
        for cells in reader:
            try:
                example = _example(cells)
                examples.setdefault((example.draft, example.label), example)
            except AngelError as error:
                problems.append(f"Line {line}: {error}")
            line = reader.line_num + 1
    except csv.Error as error:
        raise AngelError(f"{name} stops being CSV at line {line} ({error}).") from error
    if problems:
        more = len(problems) - _ERRORS_SHOWN
        shown = problems[:_ERRORS_SHOWN] + ([f"And {more} more."] if more > 0 else [])
        raise AngelError("\n".join([f"{name} has rows to mend.", *shown]))
    if not examples:
        raise AngelError(f"{name} has no rows. Add one message a line under the names of the columns.")
    return tuple(examples.values())


_LABELS = {label.value: label for label in JUDGEMENTS}


def _example(cells: dict[str, str]) -> Example:
    if _MORE in cells:
        raise AngelError("It has more cells than there are columns. Put double quotes around a text with commas in it.")
    # What begins like a formula has an apostrophe before it, where `angel model feedback --rows` wrote it.
    cells = {column: as_typed((cells.get(column) or "").strip()) for column in COLUMNS}
    try:
        label = _LABELS[cells["label"].casefold()]
    except KeyError:
        raise AngelError("`label` is `good` or `caution`, and here it is neither.") from None
    language = cells["language"].casefold() or "en"
    if not re.fullmatch(r"[a-z]{2}", language):
        raise AngelError("`language` is a code of two letters, such as `en` or `de`.")
    try:
        draft = Draft(text=cells["text"], tone=cells["tone"].casefold() or None, context=cells["context"] or None)  # type: ignore[arg-type]  # Draft reads a tone's name, and rejects what is none
    except DraftRejected as error:
        raise AngelError(str(error)) from error
    return Example(
        text=draft.text,
        label=label,
        category=_category(cells["category"]) if label is Label.CAUTION else None,
        slice=cells["slice"] or "unsorted",
        language=language,
        why=cells["why"],
        tone=draft.tone,
        context=draft.context,
    )


def _category(word: str) -> Category | None:
    """Other people's data has categories of its own. Only the label is scored, so theirs are `other`, not an error."""
    if not word:
        return None
    try:
        return Category(word.casefold())
    except ValueError:
        return Category.OTHER
