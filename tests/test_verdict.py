"""Drafts: what can be checked, and what is said of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import DraftRejected
from bot.verdict import MAX_CONTEXT, MAX_DRAFT, Category, Draft, Tone


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "nothing to read"),
        (" \n\t ", "nothing to read"),
        ("\u200b\u2060\ufeff", "nothing to read"),
        ("x" * (MAX_DRAFT + 1), "4,001 characters"),
        ("half \ud83d", "broken character"),
        (None, "not text"),
        (7, "not text"),
        (b"bytes", "not text"),
    ],
)
def test_a_draft_that_cannot_be_checked_says_what_to_do(text: object, hint: str) -> None:
    with pytest.raises(DraftRejected, match=hint):
        Draft(text=text)  # type: ignore[arg-type]  # what is not text is what is tried


@pytest.mark.parametrize("text", ["x", "😀", "x" * MAX_DRAFT, "  spaces stay \n", "K."])
def test_a_readable_draft_is_kept_as_typed(text: str) -> None:
    assert Draft(text=text).text == text


def test_a_rejected_draft_does_not_quote_its_author() -> None:
    with pytest.raises(DraftRejected) as raised:
        Draft(text="marmalade " * 500)
    assert "marmalade" not in repr(raised.value)


@pytest.mark.parametrize("tone", list(Tone))
def test_tones_are_read_by_name(tone: Tone) -> None:
    assert Draft(text="x", tone=tone.value).tone is tone  # type: ignore[arg-type]  # as it comes from a command line


@pytest.mark.parametrize("tone", ["angry", 3, ["warm"]])
def test_an_unknown_tone_names_the_known_ones(tone: object) -> None:
    with pytest.raises(DraftRejected, match="playful, warm, professional, brief"):
        Draft(text="x", tone=tone)  # type: ignore[arg-type]  # what is no tone is what is tried


@pytest.mark.parametrize("context", ["x" * (MAX_CONTEXT + 1), 5, "\udc00"])
def test_a_context_that_cannot_be_used_is_rejected(context: object) -> None:
    with pytest.raises(DraftRejected, match="context"):
        Draft(text="x", context=context)  # type: ignore[arg-type]  # what is no context is what is tried


def test_a_blank_context_is_none() -> None:
    assert Draft(text="x", context="  ").context is None


@given(st.text(st.characters(exclude_categories=[]), max_size=200) | st.none() | st.integers() | st.binary())
def test_any_input_is_a_draft_or_rejected(text: object) -> None:
    try:
        draft = Draft(text=text)  # type: ignore[arg-type]  # anything is what is tried
    except DraftRejected:
        return
    assert draft.text == text


def test_categories_have_names_for_people() -> None:
    assert Category.PASSIVE_AGGRESSION.title == "Passive aggression"
