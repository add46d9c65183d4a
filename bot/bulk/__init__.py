"""Many messages from a file: read one by one, screened at a pace the model can take, written as they are answered."""

from bot.bulk.asking import DEADLINE, READ_AHEAD, TRIES, Answer, Asker
from bot.bulk.batch import Batch, Summary
from bot.bulk.pace import DEAD_ROWS
from bot.bulk.records import Csv, JsonLines, ScreenedRow, Writing, as_typed, inert
from bot.bulk.results import Results
from bot.bulk.rows import MAX_RECORD, BatchError, Format, InputRow, Table, format_of, read

__all__ = [
    "DEADLINE",
    "DEAD_ROWS",
    "MAX_RECORD",
    "READ_AHEAD",
    "TRIES",
    "Answer",
    "Asker",
    "Batch",
    "BatchError",
    "Csv",
    "Format",
    "InputRow",
    "JsonLines",
    "Results",
    "ScreenedRow",
    "Summary",
    "Table",
    "Writing",
    "as_typed",
    "format_of",
    "inert",
    "read",
]
