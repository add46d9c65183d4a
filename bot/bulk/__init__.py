"""Many messages from a file: read one by one, screened at a pace the model can take, written as they are answered."""

from bot.bulk.batch import DEADLINE, READ_AHEAD, TRIES, Batch, Summary
from bot.bulk.pace import DEAD_ROWS
from bot.bulk.records import Csv, JsonLines, Outcome, Writing
from bot.bulk.results import Results
from bot.bulk.rows import MAX_RECORD, BatchError, Format, Row, Table, format_of, read

__all__ = [
    "DEADLINE",
    "DEAD_ROWS",
    "MAX_RECORD",
    "READ_AHEAD",
    "TRIES",
    "Batch",
    "BatchError",
    "Csv",
    "Format",
    "JsonLines",
    "Outcome",
    "Results",
    "Row",
    "Summary",
    "Table",
    "Writing",
    "format_of",
    "read",
]
