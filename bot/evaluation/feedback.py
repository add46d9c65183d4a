"""What people said of the answers: their votes summed up by model version, and the texts they gave."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import mlflow

from bot.evaluation.mlflow_internals import bound_retries_of_database
from bot.evaluation.store import EXPERIMENT, address, mlflow_errors
from bot.evaluation.traces import CHECK, HELPFUL, TEXT, traces
from bot.model.local_store import is_missing
from bot.verdict import Label


@dataclass(frozen=True)
class Votes:
    """What people said of one model version's answers, and how many checks it had."""

    model: str
    version: str
    checks: int
    helpful: int
    unhelpful: int


@dataclass(frozen=True)
class GivenText:
    """A text whose author said that it may be kept, with what the model said of it and what the author said of that."""

    text: str
    label: Label
    helpful: bool | None
    model: str
    version: str

    @property
    def likely(self) -> Label:
        """The label it likely deserves: the model's, unless the author found the answer unhelpful."""
        if self.helpful is False:
            return Label.GOOD if self.label is Label.CAUTION else Label.CAUTION
        return self.label


def feedback(tracking_uri: str | None) -> tuple[list[Votes], list[GivenText]]:
    """All votes by model version, most checks first, and the texts that were given. Raises AngelError."""
    if is_missing(address(tracking_uri)):
        return [], []
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    given = []
    with mlflow_errors("give the votes"):
        bound_retries_of_database(mlflow.get_tracking_uri())
        experiment = mlflow.get_experiment_by_name(EXPERIMENT)
        for trace in traces(experiment.experiment_id, f"tag.`{CHECK}` != ''") if experiment else ():
            tags = trace.info.tags
            said = {each.name: each.feedback.value for each in trace.info.assessments if each.feedback}
            count = counts[tags.get("model", "?"), tags.get("version", "")]
            count["checks"] += 1
            helpful, text = said.get(HELPFUL), said.get(TEXT)
            if isinstance(helpful, bool):
                count["helpful" if helpful else "unhelpful"] += 1
            if isinstance(text, str):
                found = helpful if isinstance(helpful, bool) else None
                given.append(
                    GivenText(text, Label(tags["label"]), found, tags.get("model", "?"), tags.get("version", ""))
                )
    votes = [
        Votes(model, version, count["checks"], count["helpful"], count["unhelpful"])
        for (model, version), count in counts.items()
    ]
    return sorted(votes, key=lambda each: -each.checks), given
