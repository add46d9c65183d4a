"""The offline model: the phrasebook behind MLflow's interface. Deterministic, no network, and honest about being for
English only."""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from bot.errors import DraftRejected
from bot.model.answer import Row, error_row, unread_row
from bot.model.language import Languages, Reading
from bot.model.phrasebook import Phrasebook
from bot.verdict import Draft, Label


class OfflineModel(PythonModel):
    """Reads drafts with the phrasebook; `params` are accepted, as every model's are, and change nothing."""

    phrasebook: Phrasebook
    languages: Languages

    def load_context(self, context: PythonModelContext | None) -> None:
        self.phrasebook = Phrasebook.load()
        self.languages = Languages()

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """One row of the columns of `Row` for each row of `text`, optional `tone` and `context`."""
        rows = [self._check(record) for record in model_input.to_dict("records")]
        # Without dtype=object pandas turns None into NaN.
        return pd.DataFrame(rows, columns=list(Row.__annotations__), index=model_input.index, dtype=object)

    def _check(self, record: dict[Any, Any]) -> Row:
        try:
            draft = Draft(
                text=record["text"],
                # An absent optional cell of a DataFrame is NaN.
                **{name: record[name] for name in ("tone", "context") if isinstance(record.get(name), str)},
            )
        except DraftRejected as error:
            return error_row("draft", str(error))
        return self.check(draft)

    def check(self, draft: Draft) -> Row:
        """The row of one draft. What is found in the English part counts; without a finding, `good` means all of it."""
        reading = self.languages.read(draft.text)
        if reading is Reading.FOREIGN:
            return unread_row()
        row = self.phrasebook.check(draft)
        return unread_row() if reading is Reading.PARTLY and row["verdict"] == Label.GOOD.value else row


mlflow.models.set_model(OfflineModel())
