"""What a model said of each example, kept from one evaluation to the next: only what is new is asked."""

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bot.bulk.asking import THE_MODELS_FAULT
from bot.errors import ModelRateLimited
from bot.evaluation.examples import Example, digest
from bot.evaluation.scorecard import Outcome
from bot.evaluation.subject import Subject

logger = logging.getLogger(__name__)

_OF_THE_MOMENT = {*THE_MODELS_FAULT, ModelRateLimited.code}
"""Errors that are no answer to the message. Such a row is asked again."""
KEPT_DAYS = 90
"""Answers of a model that nobody has evaluated for so long are deleted."""


class KeptAnswers:
    """The outcomes of one model, in a file of its own in `folder`.

    A message is known there by a hash of it and its label; what the model said of it may quote it. `server` is where
    the model is asked: another server may answer otherwise under the same name. Where the file can't be written the
    evaluation still runs, and asks everything again the next time.
    """

    def __init__(self, folder: Path, subject: Subject, server: str) -> None:
        name = hashlib.sha256(f"{subject.described.model_uuid} {server}".encode()).hexdigest()[:16]
        self.path = folder / "evaluations" / f"{name}.jsonl"

    def read(self, examples: Sequence[Example]) -> list[Outcome | None]:
        """What is kept for each of these examples."""
        found: dict[str, Outcome] = {}
        by_key = {digest([example]): example for example in examples}
        for line in self._lines():
            # A line that a stop cut short, or that an older version of ours wrote, is asked again.
            with suppress(ValueError, KeyError, TypeError):
                kept = json.loads(line)
                if kept["example"] in by_key:
                    found[kept["example"]] = Outcome(example=by_key[kept["example"]], **kept["outcome"])
        return [found.get(key) for key in by_key]

    def add(self, outcome: Outcome) -> None:
        if outcome.error in _OF_THE_MOMENT:
            return
        line = {"example": digest([outcome.example]), "outcome": outcome.model_dump(mode="json", exclude={"example"})}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            logger.debug("an outcome could not be kept (%s)", error.strerror)

    def forget(self) -> None:
        """Ask everything again."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def forget_old_ones(self) -> None:
        """Delete what is kept of models that nobody evaluates any more."""
        oldest = time.time() - KEPT_DAYS * 24 * 3_600
        for path in self.path.parent.glob("*.jsonl"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
