"""Many messages: read, paced, written, taken up again."""

import asyncio
import csv
import io
import json
import os
import threading
import tracemalloc
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import bulk
from bot.bulk import (
    Asker,
    Batch,
    BatchError,
    Csv,
    Format,
    InputRow,
    JsonLines,
    Results,
    ScreenedRow,
    Summary,
    Table,
    Writing,
)
from bot.errors import AnswerRefused, AnswerUnusable, ModelError, ModelMisconfigured, ModelRateLimited, ModelUnavailable
from bot.verdict import Category, Draft, Finding, Label, Verdict

GOOD = Verdict(label=Label.GOOD, model="scripted")


class ScriptedModel:
    """Says what `judge` does, or raises it."""

    name, version = "scripted", None

    def __init__(self, judge: Callable[[Draft], Verdict | BaseException] = lambda draft: GOOD) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self.asked: list[str] | deque[str] = []
        self.at_once = self.most_at_once = 0

    def check(self, draft: Draft) -> Verdict:
        with self._lock:
            self.asked.append(draft.text)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            said = self._judge(draft)
        finally:
            with self._lock:
                self.at_once -= 1
        if isinstance(said, BaseException):
            raise said
        return said


def stinging(draft: Draft) -> Verdict:
    if "idiot" not in draft.text:
        return GOOD
    finding = Finding(category=Category.INSULT, excerpt="idiot", reason="It stays.")
    return Verdict(label=Label.CAUTION, findings=(finding,), rewrite=draft.text.replace("idiot", "genius"), model="s")


def table(*texts: object) -> Table:
    return Table(
        "text", ["text"], False, (InputRow(number, {"text": text}, text) for number, text in enumerate(texts, 1))
    )


def read(content: str | bytes, format: Format = Format.CSV, column: str | None = None) -> Table:
    return bulk.read(io.BytesIO(content.encode() if isinstance(content, str) else content), format, column)


async def screened(
    rows: Table, model: ScriptedModel, *, at_once: int = 4, pause: float = 0.0, **more: Any
) -> tuple[list[dict[str, Any]], Summary]:
    """What was written of these rows, and the summary."""
    stream = io.BytesIO()
    batch = Batch(Asker(model, at_once=at_once, pause=pause, **more))
    summary = await batch.run(rows, Results(JsonLines(), stream))
    return written(stream.getvalue()), summary


def written(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


# Reading


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("text\nhi\nyou\n", ["hi", "you"]),
        ("\ufefftext\r\nhi\r\nyou", ["hi", "you"]),
        ('id,text\n1,"two\nlines, ""quoted"""\n2,x\n', ['two\nlines, "quoted"', "x"]),
        ('"text";"id"\n"a, b";1\n', ["a, b"]),
        ("id\ttext\n1\ta; b\n", ["a; b"]),
        ("message\nhi\n\nyou\n", ["hi", "you"]),
        ("text,,text\nfirst,a,b\n", ["first"]),
        ("text\n", []),
    ],
)
def test_the_csv_that_people_have_is_read(content: str, texts: list[str]) -> None:
    assert [row.text for row in read(content).rows] == texts


@pytest.mark.parametrize(
    ("content", "column", "texts"),
    [
        ('{"text": "hi", "id": 1}\n{"id": 2, "text": "\\u00e9"}', None, ["hi", "é"]),
        ('{"body": "hi"}\r\n', None, ["hi"]),
        ('{"body": "hi", "id": 3}\n', "body", ["hi"]),
        ('"hi"\n"you"\n', None, ["hi", "you"]),
    ],
)
def test_json_lines_are_read(content: str, column: str | None, texts: list[str]) -> None:
    assert [row.text for row in read(content, Format.JSON_LINES, column).rows] == texts


def test_lines_of_text_are_read_with_what_separates_nothing_kept() -> None:
    rows = list(read("\ufeffhi\r\n\n a\u2028b \x0c\nlast".encode(), Format.TEXT).rows)
    assert [(row.number, row.text) for row in rows] == [(1, "hi"), (2, ""), (3, " a\u2028b \x0c"), (4, "last")]


@pytest.mark.parametrize(
    ("content", "format", "column", "said"),
    [
        ("id,body\n1,x\n", Format.CSV, None, "no column text. Name one with --column: id, body"),
        ("id,text\n1,x\n", Format.CSV, "body", "no column body. Name one with --column: id, text"),
        ('{"id": 1, "body": "x"}', Format.JSON_LINES, None, "--column: id, body"),
        ("x", Format.TEXT, "body", "no columns"),
        ("", Format.CSV, None, "names its columns"),
        ("text\nhi".encode("utf-16"), Format.CSV, None, "UTF-16"),
    ],
)
def test_a_file_without_its_column_is_refused_at_once(
    content: str | bytes, format: Format, column: str | None, said: str
) -> None:
    with pytest.raises(BatchError, match=said):
        read(content, format, column)


@pytest.mark.parametrize(
    ("content", "column", "chosen"),
    [
        ("id,TEXT\n1,x\n", None, "TEXT"),
        ("id;Message\n1;x\n", "message", "Message"),
        ("Text,text\nno,x\n", "text", "text"),
    ],
)
def test_a_column_is_found_without_regard_to_case(content: str, column: str | None, chosen: str) -> None:
    source = read(content, column=column)
    assert (source.column, [row.text for row in source.rows]) == (chosen, ["x"])


def test_two_columns_alike_have_to_be_told_apart() -> None:
    with pytest.raises(BatchError, match="no column text"):
        read("Text,TEXT\na,b\n")


@pytest.mark.parametrize(
    ("format", "content"),
    [
        (Format.CSV, 'id,text\r\n1,"two\r\nlines ö"\r\n2,🙂\r\n3,x'),
        (Format.JSON_LINES, '\ufeff{"text": "ö"}\n"🙂"\n'),
        (Format.TEXT, "ö\n\n🙂\r\nx"),
    ],
)
async def test_how_far_it_is_is_told_in_bytes_of_what_was_answered(format: Format, content: str) -> None:
    ends: list[int] = []
    batch = Batch(Asker(ScriptedModel(), at_once=2))
    source = read(content, format)
    await batch.run(source, Results(JsonLines(), io.BytesIO()), lambda summary: ends.append(summary.end))
    assert ends == sorted(set(ends))
    assert ends[-1] == len(content.encode())
    encoded = content.encode()
    assert all(encoded[end - 1 : end] == b"\n" for end in ends[:-1]), "each row's own end, not how far was read ahead"


async def test_bad_rows_are_reported_in_their_place_and_end_nothing() -> None:
    model = ScriptedModel()
    content = b"id,text\n1,hi\n2,\n3\n4,a,b\n5,\xff\n6," + b"x" * 4_001 + b"\n7,you\n"
    rows, summary = await screened(read(content), model)
    assert [(row["row"], row["error"]) for row in rows] == [
        (1, None), (2, "draft"), (3, "row"), (4, "row"), (5, "row"), (6, "draft"), (7, None),
    ]  # fmt: skip
    assert rows[4]["reason"] == "This row is not UTF-8 text. Save the file as UTF-8 and try again."
    assert [row["input"]["id"] for row in rows] == list("1234567")
    assert all(row["reason"] for row in rows if row["error"])
    assert (summary.good, summary.not_checked) == (2, 5)
    assert summary.problems[1] == (3, "This row ends before the column text.")
    assert sorted(model.asked) == ["hi", "you"]


@pytest.mark.parametrize(
    "line", ["{", "", "[1]", "3", "null", "[" * 100_000, '{"text": NaN}', '{"text": "x", "n": 1e999}']
)
async def test_a_line_that_is_no_json_is_reported_in_its_place(line: str) -> None:
    rows, _ = await screened(read(f'{{"text": "hi"}}\n{line}\n{{"text": "you"}}\n', Format.JSON_LINES), ScriptedModel())
    assert [row["error"] for row in rows] == [None, "row", None]
    assert rows[1]["input"] == {"text": line}


async def test_half_an_emoji_in_json_is_reported_and_can_be_written() -> None:
    rows, _ = await screened(read('{"text": "\\ud83d", "of": "\\udcff"}\n', Format.JSON_LINES), ScriptedModel())
    assert (rows[0]["error"], rows[0]["input"]) == ("draft", {"text": "�", "of": "�"})


@pytest.mark.parametrize("format", list(Format))
def test_a_line_without_an_end_is_not_held_in_memory(format: Format) -> None:
    class Endless(io.RawIOBase):
        left = 64 * 2**20

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            count = min(len(buffer), self.left)
            buffer[:count] = b"x" * count
            self.left -= count
            return count

    head = io.BytesIO(b'text\nhi\n"' if format is Format.CSV else b'{"text": "hi"}\n')
    stream = io.BufferedReader(_Joined(head, Endless()))
    tracemalloc.start()
    count = sum(1 for _ in bulk.read(stream, format).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2
    assert peak < 24 * 2**20


class _Joined(io.RawIOBase):
    def __init__(self, *parts: Any) -> None:
        self._parts = list(parts)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._parts:
            count = self._parts[0].readinto(buffer)
            if count:
                return int(count)
            self._parts.pop(0)
        return 0


async def test_a_quote_that_is_never_closed_costs_its_row() -> None:
    content = 'text\nhi\n"open' + "x" * (bulk.MAX_RECORD // 2 - 1) + "\n" + "y" * bulk.MAX_RECORD + "\nyou\n"
    rows, _ = await screened(read(content), ScriptedModel())
    assert [row["error"] for row in rows] == [None, "row", None]


# Asking


async def test_rows_are_written_in_their_order_and_as_they_come() -> None:
    gate = threading.Event()

    def judge(draft: Draft) -> Verdict:
        if draft.text == "slow":
            assert gate.wait(120)
        return stinging(draft)

    model = ScriptedModel(judge)
    seen: list[int] = []

    def progress(summary: Summary) -> None:
        seen.append(summary.rows)
        if summary.rows == 2:
            gate.set()  # reached only if the two before the slow one are written without it

    stream = io.BytesIO()
    batch = Batch(Asker(model, at_once=3))
    summary = await batch.run(table("a", "you idiot", "slow", "b", "c"), Results(JsonLines(), stream), progress)
    assert [row["row"] for row in written(stream.getvalue())] == [1, 2, 3, 4, 5] == seen
    assert (summary.good, summary.caution, summary.categories) == (4, 1, Counter(insult=1))


async def test_no_more_rows_are_read_than_can_be_asked_about_soon() -> None:
    gate, read_so_far, asked = threading.Event(), [], threading.Event()

    def judge(draft: Draft) -> Verdict:
        asked.set()
        assert gate.wait(120)
        return GOOD

    def rows() -> Iterator[InputRow]:
        for number in range(1, 1_001):
            read_so_far.append(number)
            if number > 2 * bulk.READ_AHEAD:  # the one in hand, which there is no room for, opens the gate
                gate.set()
            yield InputRow(number, {"text": "x"}, "x")

    model = ScriptedModel(judge)
    counts: list[int] = []
    stream = io.BytesIO()

    def progress(summary: Summary) -> None:
        counts.append(len(read_so_far) - summary.rows)

    batch = Batch(Asker(model, at_once=2))
    summary = await batch.run(Table("text", ["text"], False, rows()), Results(JsonLines(), stream), progress)
    assert summary.good == 1_000
    assert max(counts) <= 2 * bulk.READ_AHEAD + 1
    assert model.most_at_once <= 2


async def test_a_row_from_a_pipe_is_answered_before_the_next_one_is_there() -> None:
    source, sink = os.pipe()
    lines = [b"one\n", b"two\n", b"three\n"]

    def progress(summary: Summary) -> None:
        if lines:
            os.write(sink, lines.pop(0))
        else:
            os.close(sink)

    progress(Summary())
    with os.fdopen(source, "rb") as stream:
        out = io.BytesIO()
        batch = Batch(Asker(ScriptedModel(), at_once=2))
        summary = await batch.run(bulk.read(stream, Format.TEXT), Results(JsonLines(), out), progress)
    assert summary.good == 3


async def test_a_model_that_turns_rows_away_is_asked_less_often_until_it_answers() -> None:
    """Eight at once are too many for it, two are not: nobody stands in, and no row is lost."""
    model = ScriptedModel()

    def judge(draft: Draft) -> Verdict | BaseException:
        return GOOD if model.at_once <= 2 else ModelUnavailable("Ask less often.")

    model._judge = judge
    pauses: list[tuple[float, str]] = []
    rows, summary = await screened(
        table(*map(str, range(60))), model, at_once=8, pause=0.001, waiting=lambda *said: pauses.append(said)
    )
    assert summary.good == 60
    assert {row["offline"] for row in rows} == {False}
    if model.most_at_once > 2:
        assert pauses[0] == (0.001, "Ask less often.")


async def test_a_row_that_gets_no_verdict_however_often_is_written_as_not_checked() -> None:
    model = ScriptedModel(lambda draft: ModelUnavailable("Status 500.") if draft.text == "poison" else GOOD)
    rows, summary = await screened(table("a", "b", "poison", "c"), model)
    assert [(row["verdict"], row["error"], row["reason"]) for row in rows] == [
        ("good", None, None), ("good", None, None), (None, "unavailable", "Status 500."), ("good", None, None),
    ]  # fmt: skip
    assert model.asked.count("poison") == bulk.TRIES
    assert (summary.good, summary.not_checked) == (3, 1)


@pytest.mark.parametrize(
    ("error", "code", "asked"),
    [
        (AnswerRefused("Declined."), "refused", 1),
        (AnswerUnusable("Nonsense."), "unreadable", 2),
        (ModelMisconfigured("Does not fit."), "misconfigured", 1),
        (RuntimeError("marmalade"), "failed", 2),
    ],
)
async def test_what_the_model_has_no_verdict_for_says_why(error: Exception, code: str, asked: int) -> None:
    model = ScriptedModel(lambda draft: error if draft.text == "odd" else GOOD)
    rows, _ = await screened(table("odd", "a"), model)
    assert (rows[0]["error"], rows[0]["verdict"], rows[1]["verdict"]) == (code, None, "good")
    assert rows[0]["reason"] == ("scripted failed." if code == "failed" else str(error))
    assert model.asked.count("odd") == asked


async def test_a_late_row_is_reported_as_late() -> None:
    gate = threading.Event()

    def judge(draft: Draft) -> Verdict:
        if draft.text == "slow":
            gate.wait(120)
        return GOOD

    rows, _ = await screened(table("slow", "a"), ScriptedModel(judge), at_once=8, deadline=1.0)
    gate.set()
    assert [(row["error"], row["reason"]) for row in rows] == [("late", "scripted took too long."), (None, None)]


@pytest.mark.parametrize(
    "error", [ModelUnavailable("Down."), ModelMisconfigured("Bad key."), RuntimeError("marmalade")]
)
async def test_a_model_that_answers_nobody_ends_the_run_and_leaves_the_rows_for_the_next(error: Exception) -> None:
    def judge(draft: Draft) -> Verdict | BaseException:
        return GOOD if draft.text < "020" else error

    stream = io.BytesIO()
    model = ScriptedModel(judge)
    batch = Batch(Asker(model, at_once=4, pause=0.0))
    rows = table(*(f"{number:03}" for number in range(500)))
    with pytest.raises(ModelError) as raised:
        await batch.run(rows, Results(JsonLines(), stream))
    assert "marmalade" not in str(raised.value)
    rows_written = written(stream.getvalue())
    assert [row["row"] for row in rows_written] == list(range(1, len(rows_written) + 1))
    assert {row["verdict"] for row in rows_written} == {"good"}
    assert len(model.asked) < 100


async def test_a_short_file_that_nobody_answered_for_is_not_written_off() -> None:
    stream = io.BytesIO()
    batch = Batch(Asker(ScriptedModel(lambda draft: ModelMisconfigured("Bad key.")), at_once=4))
    with pytest.raises(ModelError, match="Bad key"):
        await batch.run(table("a", "", "b"), Results(JsonLines(), stream))
    assert stream.getvalue() == b""


async def test_a_row_that_is_rate_limited_is_asked_again_however_often() -> None:
    model = ScriptedModel()

    def judge(draft: Draft) -> Verdict | BaseException:
        # Others are answered in between, so the model is not gone.
        limited = draft.text == "b" and model.asked.count("b") <= bulk.TRIES
        return ModelRateLimited("Ask less often.") if limited else GOOD

    model._judge = judge
    rows, summary = await screened(table("b", *["a"] * 40), model, at_once=1)
    assert [row["error"] for row in rows] == [None] * 41
    assert summary.good == 41
    assert model.asked.count("b") == bulk.TRIES + 1


async def test_a_model_that_limits_everybody_for_good_ends_the_run_and_no_row_is_written_off() -> None:
    stream = io.BytesIO()
    model = ScriptedModel(lambda draft: ModelRateLimited("Ask less often."))
    with pytest.raises(ModelError, match="Ask less often"):
        await Batch(Asker(model, at_once=4, pause=0.0)).run(table(*"abcdef"), Results(JsonLines(), stream))
    assert stream.getvalue() == b""


async def test_an_error_while_reading_ends_the_run_with_what_was_read_written() -> None:
    def rows() -> Iterator[InputRow]:
        yield InputRow(1, {"text": "a"}, "a")
        raise BatchError("The disk is gone.")

    stream = io.BytesIO()
    batch = Batch(Asker(ScriptedModel(), at_once=4))
    with pytest.raises(BatchError, match="disk"):
        await batch.run(Table("text", ["text"], False, rows()), Results(JsonLines(), stream))
    assert len(written(stream.getvalue())) == 1


# Writing, and going on

INPUT = 'id,text\r\n1,"Hi, ""you""\r\nthere"\r\n2,\r\n3,you idiot 🙂\r\n4,"a\rb"\r\n'
OPTIONS = {"tone": "playful"}


def writing_of(kind: Format, source: Table) -> Writing:
    return Csv(source.columns, bom=source.bom) if kind is Format.CSV else JsonLines()


def run(path: Path, kind: Format, content: str = INPUT, *, restart: bool = False, **options: str) -> Summary:
    source = read(content)
    batch = Batch(Asker(ScriptedModel(stinging), at_once=2))
    with Results.open(path, writing_of(kind, source), OPTIONS | options, restart=restart) as results:
        return asyncio.run(batch.run(source, results))


def unfinished(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.with_name(path.name + ".unfinished").write_text(json.dumps(OPTIONS))


@pytest.mark.parametrize("kind", [Format.CSV, Format.JSON_LINES])
def test_a_run_that_stopped_anywhere_goes_on_to_the_same_file(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "out"
    whole = run(path, kind, "\ufeff" + INPUT)
    complete = path.read_bytes()
    for cut in range(0, len(complete) + 1, 5):
        unfinished(path, complete[:cut])
        summary = run(path, kind, "\ufeff" + INPUT)
        assert path.read_bytes() == complete
        assert (summary.rows, summary.good, summary.caution, summary.not_checked, summary.categories) == (
            whole.rows, whole.good, whole.caution, whole.not_checked, whole.categories,
        )  # fmt: skip
        assert not path.with_name("out.unfinished").exists()


def test_rows_that_are_there_are_not_asked_about_again(tmp_path: Path) -> None:
    run(tmp_path / "out", Format.JSON_LINES)
    lines = (tmp_path / "out").read_bytes().splitlines(keepends=True)
    unfinished(tmp_path / "out", b"".join(lines[:2]))
    model = ScriptedModel()
    source = read(INPUT)
    with Results.open(tmp_path / "out", JsonLines(), OPTIONS, restart=False) as results:
        asyncio.run(Batch(Asker(model, at_once=4)).run(source, results))
    assert sorted(model.asked) == ["a\rb", "you idiot 🙂"]


@pytest.mark.parametrize("kind", [Format.CSV, Format.JSON_LINES])
@pytest.mark.parametrize("other", ['id,text\n1,"Hi, you"\n', "id,text\n", INPUT.replace("1,", "9,")])
def test_another_input_is_refused_and_nothing_is_touched(tmp_path: Path, kind: Format, other: str) -> None:
    path = tmp_path / "out"
    run(path, kind)
    unfinished(path, path.read_bytes()[:-1])
    before = path.read_bytes()
    with pytest.raises(BatchError, match="another input"):
        run(path, kind, other)
    assert path.read_bytes() == before


def test_other_options_are_refused_unless_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "out"
    unfinished(path, b"")
    with pytest.raises(BatchError, match="another tone"):
        run(path, Format.JSON_LINES, tone="warm")
    assert run(path, Format.JSON_LINES, tone="warm", restart=True).rows == 4


@pytest.mark.parametrize("restart", [False, True])
def test_two_runs_never_write_one_file(tmp_path: Path, restart: bool) -> None:
    path = tmp_path / "out"
    with (
        Results.open(path, JsonLines(), OPTIONS, restart=False),
        pytest.raises(BatchError, match="Another run"),
    ):
        run(path, Format.JSON_LINES, restart=restart)
    assert run(path, Format.JSON_LINES).rows == 4


@pytest.mark.parametrize("content", [b"my novel", b"", b'{"row": 1}\n'])
def test_a_file_that_is_no_unfinished_run_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "out"
    path.write_bytes(content)
    with pytest.raises(BatchError, match="--restart"):
        run(path, Format.JSON_LINES)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (Format.JSON_LINES, b"[]\n"),
        (Format.JSON_LINES, b"no json\n{"),
        (Format.CSV, b"other,columns\r\n"),
        (Format.CSV, b'"a"b\r\nmore\r\n'),
    ],
)
def test_a_file_that_was_changed_since_is_refused(tmp_path: Path, kind: Format, changed: bytes) -> None:
    unfinished(tmp_path / "out", changed)
    with pytest.raises(BatchError, match="changed since"):
        run(tmp_path / "out", kind)
    assert (tmp_path / "out").read_bytes() == changed


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"nowhere.*can't be written"):
        run(tmp_path / "nowhere" / "out", Format.CSV)


def test_a_csv_with_columns_of_our_names_is_asked_to_go_elsewhere() -> None:
    with pytest.raises(BatchError, match=r"row, verdict.*jsonl"):
        Csv(["row", "text", "verdict"], bom=False)


FORMULAS = (
    '=HYPERLINK("http://x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "  =1", "＝1+1", "－1+2",
)  # fmt: skip


def test_no_spreadsheet_runs_anybodys_words() -> None:
    """Neither a model's nor those of the file's own columns, the names of the columns included."""
    for formula in FORMULAS:
        verdict = Verdict(label=Label.CAUTION, rewrite=formula, tip=formula, model=formula)
        fields = {"text": formula, "note": formula}
        writing = Csv(["text", "note"], bom=False)
        (cells,) = csv.reader(
            io.StringIO(writing.record(ScreenedRow(InputRow(1, fields, formula), verdict)), newline="")
        )
        assert [cell for cell in cells if cell.lstrip(" ").startswith(FORMULAS)] == []
        assert cells.count(f"'{formula}") == 5, formula
        (names,) = csv.reader(io.StringIO(Csv([formula], bom=False).header(), newline=""))
        assert names[1] == f"'{formula}"
        assert bulk.as_typed(f"'{formula}") == formula


@pytest.mark.parametrize("cell", ["-5", "+49 170 123", "-1,234.5", "12 %", "a=b", "'quoted'", "'", "''", ""])
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert bulk.as_typed(cell) == bulk.inert(cell) == cell


def test_a_csv_with_formulas_in_it_is_gone_on_with(tmp_path: Path) -> None:
    path, content = tmp_path / "out.csv", 'text,note\n=1+1,"=HYPERLINK(""x"")"\nfine,-2+3\nlast,x\n'
    model = ScriptedModel()

    def cut_off(rows: Iterator[InputRow]) -> Iterator[InputRow]:
        yield next(rows)
        yield next(rows)
        raise BatchError("The disk is gone.")

    def run(source: Table) -> Summary:
        with Results.open(path, Csv(source.columns, bom=False), OPTIONS, restart=False) as results:
            return asyncio.run(Batch(Asker(model, at_once=1)).run(source, results))

    source = read(content)
    with pytest.raises(BatchError, match="disk"):
        run(Table(source.column, source.columns, source.bom, cut_off(source.rows)))
    assert run(read(content)).resumed == 2
    assert sorted(model.asked) == ["=1+1", "fine", "last"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6), st.data())
def test_any_rows_come_out_once_each_wherever_a_run_stopped(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    fields = [{"text": text, "note": note} for text, note in rows]

    def source() -> Table:
        return Table(
            "text", ["text", "note"], False, (InputRow(n, each, each["text"]) for n, each in enumerate(fields, 1))
        )

    def go_on(path: Path, writing: Writing) -> None:
        with Results.open(path, writing, OPTIONS, restart=False) as results:
            asyncio.run(Batch(Asker(ScriptedModel(), at_once=3)).run(source(), results))

    with TemporaryDirectory() as name:  # tmp_path would be the same for every example
        folder = Path(name)
        for path, writing in ((folder / "a", Csv(["text", "note"], bom=False)), (folder / "b", JsonLines())):
            go_on(path, writing)
            complete = path.read_bytes()
            unfinished(path, complete[: data.draw(st.integers(0, len(complete)))])
            go_on(path, writing)
            assert path.read_bytes() == complete
        assert [row["input"] for row in written((folder / "b").read_bytes())] == fields


@pytest.mark.heavy
async def test_a_huge_file_takes_no_more_memory_than_a_small_one() -> None:
    def lines(count: int) -> Iterable[bytes]:
        yield b"text\n"
        for number in range(count):
            yield b"message number %d is a few words long\n" % number

    class Lines(io.RawIOBase):
        def __init__(self, count: int) -> None:
            self._lines = iter(lines(count))

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            line = next(self._lines, b"")
            buffer[: len(line)] = line
            return len(line)

    class Nowhere(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            return len(data)

    async def peak(count: int) -> int:
        model = ScriptedModel()
        model.asked = deque(maxlen=1)
        batch = Batch(Asker(model, at_once=4))
        source = bulk.read(io.BufferedReader(Lines(count)), Format.CSV)
        tracemalloc.start()
        summary = await batch.run(source, Results(JsonLines(), io.BufferedWriter(Nowhere())))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert summary.good == count
        return most

    few, many = await peak(200), await peak(4_000)
    assert many < few + 200_000  # the rows alone are 150 kB, their records a megabyte
