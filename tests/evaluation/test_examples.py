"""The shipped examples keep their promises, and a CSV that does not says which line to mend."""

import csv
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from bot.errors import AngelError
from bot.evaluation.examples import COLUMNS, EXAMPLES, digest, read_examples
from bot.particulars import particulars
from bot.verdict import JUDGEMENTS, Category, Label, Tone

SHIPPED = read_examples()
SLICES = {
    *("tutorial", "work", "friends", "family", "banter", "contempt", "firm", "quoted", "self_directed"),
    *("technical", "instructions", "particulars", "languages"),
}


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refused(path: Path) -> str:
    with pytest.raises(AngelError) as caught:
        read_examples(path)
    return str(caught.value)


class TestTheShippedExamples:
    def test_are_enough_and_about_half_and_half(self) -> None:
        counts = Counter(example.label for example in SHIPPED)
        assert len(SHIPPED) >= 150
        assert 0.4 <= counts[Label.GOOD] / len(SHIPPED) <= 0.6

    def test_begin_with_the_tutorials_five_messages_and_their_outcomes(self) -> None:
        five = SHIPPED[:5]
        assert [example.label for example in five] == ["caution", "caution", "good", "good", "caution"]
        assert [example.text[:24] for example in five] == [
            "Wow, what an interesting",
            "I'd rather book a 14th c",
            "Can't wait for the roadt",
            "Thanks for helping out w",
            "You know what part I lov",
        ]
        assert [example for example in SHIPPED if example.slice == "tutorial"] == list(five)

    def test_have_every_column_in_order_and_no_cell_the_reader_had_to_mend(self) -> None:
        with EXAMPLES.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert tuple(rows[0]) == COLUMNS
        assert len(rows) == len(SHIPPED)
        for row in rows:
            assert row["category"] in ({*Category} if row["label"] == "caution" else {""})

    def test_give_one_sentence_of_why_each(self) -> None:
        assert [example.why for example in SHIPPED if not re.fullmatch(r"\S.{5,140}\.", example.why)] == []

    def test_cover_every_slice_with_several_rows(self) -> None:
        counts = Counter(example.slice for example in SHIPPED)
        assert set(counts) == SLICES
        assert min(counts.values()) >= 5

    @pytest.mark.parametrize(
        ("slice_name", "label"),
        [("banter", "good"), ("firm", "good"), ("self_directed", "good"), ("contempt", "caution")],
    )
    def test_that_must_pass_pass_and_that_must_not_do_not(self, slice_name: str, label: str) -> None:
        assert {example.label for example in SHIPPED if example.slice == slice_name} == {label}

    @pytest.mark.parametrize("slice_name", ["instructions", "quoted", "technical", "particulars", "languages"])
    def test_have_both_labels_where_the_form_must_not_decide(self, slice_name: str) -> None:
        counts = Counter(example.label for example in SHIPPED if example.slice == slice_name)
        assert min(counts[label] for label in JUDGEMENTS) >= 2

    def test_speak_many_languages_each_with_both_labels(self) -> None:
        labels: dict[str, set[Label]] = {}
        for example in SHIPPED:
            labels.setdefault(example.language, set()).add(example.label)
        assert {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "ja"} <= set(labels)
        assert {language for language, seen in labels.items() if seen != set(JUDGEMENTS)} == set()

    def test_use_every_category_and_every_tone_and_some_context(self) -> None:
        assert {example.category for example in SHIPPED} == {*Category, None}
        assert {example.tone for example in SHIPPED} == {*Tone}
        assert sum(example.context is not None for example in SHIPPED) >= 5

    def test_hold_particulars_that_a_rewrite_must_keep(self) -> None:
        rows = [example for example in SHIPPED if example.slice == "particulars" and example.label is Label.CAUTION]
        kinds = " ".join(key for example in rows for key in particulars(example.text))
        for mark in ("https://", "@dana", "#release-notes", "[[1]]", "billing@example.com", "1,250.00", "14:30"):
            assert mark in kinds
        assert [example.text for example in rows if len(example.text) > 400] == []

    def test_look_typed_by_people(self) -> None:
        texts = [example.text for example in SHIPPED]
        assert sum("\n" in text for text in texts) >= 5
        assert sum(text[0].islower() for text in texts) >= 30
        assert sum(bool(re.search("[\U0001f300-\U0001faff]", text)) for text in texts) >= 15

    def test_do_not_repeat_each_other(self) -> None:
        words = {example.text: set(re.findall(r"\w+", example.text.casefold())) for example in SHIPPED}
        assert len(words) == len(SHIPPED)
        alike = [
            (one, other)
            for one, other in combinations(words, 2)
            if len(words[one] & words[other]) > 0.6 * min(len(words[one]), len(words[other]))
            and min(len(words[one]), len(words[other])) > 4
        ]
        assert alike == []


class TestReadingAFile:
    def test_needs_only_text_and_label(self, tmp_path: Path) -> None:
        (example,) = read_examples(write(tmp_path, "text,label\nhello there,Good\n"))
        assert (example.text, example.label, example.slice, example.language) == (
            "hello there",
            Label.GOOD,
            "unsorted",
            "en",
        )
        assert example.draft.tone is Tone.PLAYFUL

    def test_takes_a_byte_order_mark_and_columns_of_others(self, tmp_path: Path) -> None:
        path = write(tmp_path, ',label,text,source\n0,caution,"go away, now",chat\n', "utf-8-sig")
        (example,) = read_examples(path)
        assert example.text == "go away, now"

    def test_calls_other_peoples_categories_other(self, tmp_path: Path) -> None:
        path = write(tmp_path, "text,label,category\na b,caution,toxic\nc d,caution,Blame\ne f,good,human\n")
        assert [example.category for example in read_examples(path)] == [Category.OTHER, Category.BLAME, None]

    def test_takes_a_repeated_row_once_and_a_disputed_label_twice(self, tmp_path: Path) -> None:
        path = write(tmp_path, "text,label\nhi you,good\nhi you,good\nhi you,caution\n")
        assert [example.label for example in read_examples(path)] == ["good", "caution"]

    def test_names_every_line_to_mend_and_never_its_words(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            "text,label,tone,language\n"
            '"secret\nwords",nice,,\n'
            ",good,,\n"
            "secret words,good,shrill,\n"
            "secret words,good,,English\n"
            "secret, words,good,,,\n"
            "fine,good,,\n",
        )
        message = refused(path)
        assert re.findall(r"Line (\d+):", message) == ["2", "4", "5", "6", "7"]
        assert "`good` or `caution`" in message
        assert "double quotes" in message
        assert "secret" not in message

    def test_shows_ten_lines_and_counts_the_rest(self, tmp_path: Path) -> None:
        message = refused(write(tmp_path, "text,label\n" + "a,b\n" * 25))
        assert len(re.findall(r"Line \d+:", message)) == 10
        assert message.endswith("And 15 more.")

    @pytest.mark.parametrize(
        ("text", "advice"),
        [
            ("", "no column `text` and no column `label`"),
            ("text\nhello\n", "no column `label`"),
            ("text,label\n", "no rows"),
            ('text,label\n"' + "x" * 200_000 + '",good\n', "stops being CSV at line 2"),
        ],
        ids=["empty", "no label", "no rows", "no CSV"],
    )
    def test_says_what_is_wrong_with_the_file(self, tmp_path: Path, text: str, advice: str) -> None:
        assert advice in refused(write(tmp_path, text))

    def test_says_so_where_the_file_is_missing_or_not_utf8(self, tmp_path: Path) -> None:
        assert "could not be opened" in refused(tmp_path / "nowhere.csv")
        assert "UTF-8" in refused(write(tmp_path, "text,label\nschön,good\n", "latin-1"))


class TestTheDigest:
    def test_changes_with_what_is_asked_and_not_with_order_or_remarks(self) -> None:
        one, other = SHIPPED[0], SHIPPED[1]
        remarked = one.model_copy(update={"why": "Another reason."})
        assert digest([one, other]) == digest([other, remarked])
        for update in ({"text": "x"}, {"label": Label.GOOD}, {"tone": Tone.BRIEF}, {"context": "x"}):
            assert digest([one.model_copy(update=update), other]) != digest([one, other])
        assert digest([one]) != digest([one, other])
