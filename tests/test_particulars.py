"""What must survive a rewrite: numbers, links, addresses, mentions, placeholders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.particulars import PLACEHOLDER, differences, particulars


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://example.org/a?b=1, then www.example.org/x.", ["https://example.org/a?b=1", "www.example.org/x"]),
        ("It's on example.com/docs (or example.io)!", ["example.com/docs", "example.io"]),
        ("Mail jo.doe@example.org or ask @maria in #dev-ops", ["jo.doe@example.org", "@maria", "#dev-ops"]),
        ("By 10:30 on 3/4, $1,200.50 for 3 of them", ["10:30", "3/4", "1,200.50", "3"]),
        ("[[1:@Maria 2]] and [[2:#dev]]", ["[[1:@Maria 2]]", "[[2:#dev]]"]),
        ("Done.Thanks for main.py, e.g. this & that", []),
    ],
)
def test_particulars_are_what_a_rewrite_must_keep(text: str, found: list[str]) -> None:
    assert list(particulars(text).values()) == found


def test_differences_name_what_was_lost_and_what_was_added() -> None:
    lost, added = differences("Ask @Maria by 5 pm: https://a.example/X", "Ask @maria by 6 pm")
    assert (lost, added) == (("5", "https://a.example/X"), ("6",))


@given(st.text(max_size=300))
def test_a_text_keeps_its_own_particulars(text: str) -> None:
    assert differences(text, text) == ((), ())


def test_a_placeholder_is_one_thing() -> None:
    assert PLACEHOLDER.fullmatch("[[12:@Jo from 4th floor]]")
