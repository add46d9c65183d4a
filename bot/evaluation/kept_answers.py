"""The answers of an evaluation that was begun, kept so that it can go on after a stop."""

import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bot.errors import ModelError, ModelMisconfigured, ModelUnavailable
from bot.evaluation.examples import Example, digest
from bot.evaluation.scorecard import Outcome
from bot.evaluation.subject import Subject

logger = logging.getLogger(__name__)

_PASSING = {ModelUnavailable.code, ModelMisconfigured.code, ModelError.code}
"""Errors that are about the moment and not about the message. Such a row is asked again when an evaluation goes on."""


class KeptAnswers:
    """The outcomes of an evaluation that was begun, in a file of its own, so that it can go on after a stop.

    A message is known there by a hash; what the model said of it is kept until the evaluation is in MLflow. Where the
    file can't be written the evaluation still runs, and can't be resumed.
    """

    def __init__(self, folder: Path, subject: Subject, server: str) -> None:
        name = hashlib.sha256(f"{subject.described.model_uuid} {server}".encode()).hexdigest()[:16]
        self.path = folder / "evaluations" / f"{name}.jsonl"

    def read(self, examples: Sequence[Example]) -> list[Outcome]:
        """What is kept for these examples."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        by_key = {digest([example]): example for example in examples}
        found: dict[str, Outcome] = {}
        for line in lines:
            # A line that the stop cut short, or that an older version of ours wrote, is asked again.
            with suppress(ValueError, KeyError, TypeError):
                kept = json.loads(line)
                if kept["example"] in by_key:
                    found[kept["example"]] = Outcome(example=by_key[kept["example"]], **kept["outcome"])
        return list(found.values())

    def add(self, outcome: Outcome) -> None:
        if outcome.error in _PASSING:
            return
        line = {"example": digest([outcome.example]), "outcome": outcome.model_dump(mode="json", exclude={"example"})}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            logger.debug("an outcome could not be kept (%s)", error.strerror)

    def delete(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
