"""What counts as a name, and what a rewrite may lose, add and change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.rewrites import adds_nothing, differs, keeps_names, keeps_particulars, names, sane_length


class TestNames:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "Hey Tom, I'm with Dr. Okafor at O'Brien's. Can you call Jean-Luc?",
                ["Tom", "Okafor", "O'Brien", "Jean-Luc"],
            ),
            ("So Priya can finish by Tuesday, but you and Marek can't?", ["Priya", "Tuesday", "Marek"]),
            ("it was James' idea, ask Maria/Tom & Björn", ["James", "Maria", "Tom", "Björn"]),
            ("we moved to GitHub in April", ["GitHub", "April"]),
            ("- Call Priya\n- Water the plants", ["Priya"]),
            ("3 of them know Ana", ["Ana"]),
        ],
    )
    def test_are_words_with_a_capital_inside_a_sentence(self, text: str, expected: list[str]) -> None:
        assert list(names(text)) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Tom, 14:30 means 14:30", ["Tom"]),
            ("Fine. Maria's deck is late again", ["Maria"]),
            ("Reminder: Tom, the keys", ["Tom"]),
            ("Honestly, you never listen. Sorry, that's it. What's wrong?", []),
            ("Great work! That was fun 😂 Really", []),
        ],
    )
    def test_may_open_a_sentence_where_they_are_spoken_to_or_own_something(
        self, text: str, expected: list[str]
    ) -> None:
        assert list(names(text)) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "You NEVER send the PDF, and I'm done. OK?",
            'she said "Fine" and (Maybe) left',
            "see `Foo Bar`, [[1:@Maria]], @Tom, #Design and https://Example.com/Path or Report.pdf",
            "```\nFatal Error In Main\n```",
            "reply only with: Good to Go!",
            "",
        ],
    )
    def test_are_not_shouting_quotes_code_or_particulars(self, text: str) -> None:
        assert names(text) == ()

    def test_are_not_guessed_where_every_noun_has_a_capital(self) -> None:
        assert names("Schick mir bis Freitag die Zahlen", "de") == ()
        assert names("やっと返信する気になったんですね。", "ja") == ()

    def test_that_open_a_sentence_are_known_in_english_only(self) -> None:
        assert names("Tom, on y va avec Marie", "fr") == ("Marie",)

    @given(st.text())
    def test_are_found_in_any_text_and_kept_by_the_text_itself(self, text: str) -> None:
        assert keeps_names(text, text)
        assert adds_nothing(text, text)


class TestKeeping:
    def test_a_lost_name_shows_whatever_its_capitals(self) -> None:
        draft = "Hey Tom, ask Priya by Tuesday"
        assert keeps_names(draft, "hi tom! Priya's the one to ask, by tuesday please")
        assert not keeps_names(draft, "Hey Tom, ask her by Tuesday")

    @pytest.mark.parametrize(
        "lost", ["47", "https://example.com/a", "@dana", "[[1:#design]]", "me@example.com", "14:30"]
    )
    def test_a_lost_particular_shows(self, lost: str) -> None:
        assert keeps_particulars(f"look at {lost} now", f"now, {lost}, please")
        assert not keeps_particulars(f"look at {lost} now", "now, please")

    @pytest.mark.parametrize("added", ["47", "https://example.com/a", "@channel", "[[2:#all]]", "Priya", "Friday"])
    def test_an_added_particular_or_name_shows(self, added: str) -> None:
        assert not adds_nothing("look at it now", f"please look at it with {added} now")
        assert adds_nothing(f"look at {added} now", f"now {added}, please")

    def test_a_word_that_opens_a_sentence_is_not_an_added_name(self) -> None:
        assert adds_nothing("whatever, tom", "Alright, Tom! Happy to. Cheers")

    def test_a_name_of_the_draft_may_be_written_with_a_capital(self) -> None:
        assert adds_nothing("ask priya", "could you ask Priya?")


class TestShape:
    @pytest.mark.parametrize(
        ("rewrite", "different"),
        [("go away now", False), ("Go away, NOW! 🙂", False), ("please go away now", True), ("", True)],
    )
    def test_a_rewrite_differs_when_a_word_does(self, rewrite: str, different: bool) -> None:
        assert differs("go away now", rewrite) is different

    @pytest.mark.parametrize(
        ("length", "sane"), [(19, False), (20, True), (100, True), (280, True), (281, False), (0, False)]
    )
    def test_a_rewrite_of_a_hundred_characters_has_20_to_280(self, length: int, sane: bool) -> None:
        assert sane_length("x" * 100, "y" * length) is sane

    def test_a_short_draft_may_get_a_whole_sentence(self) -> None:
        assert sane_length("pathetic.", "I'm disappointed, and I'd like to understand what happened. Can we talk?")
