"""The offline model: the phrasebook behind MLflow's interface. Deterministic, no network, English only."""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from bot.errors import DraftRejected
from bot.model.answer import Row, error_row
from bot.model.phrasebook import Phrasebook
from bot.verdict import Draft


class OfflineModel(PythonModel):
    """Reads drafts with the phrasebook; `params` are accepted, as every model's are, and change nothing."""

    phrasebook: Phrasebook

    def load_context(self, context: PythonModelContext) -> None:
        self.phrasebook = Phrasebook.load()

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
        return self.phrasebook.check(draft)


mlflow.models.set_model(OfflineModel())
