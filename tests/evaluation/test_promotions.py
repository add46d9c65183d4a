"""The record of promotions and rollbacks, and where a rollback leads."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.promotions import Change, Kind, earlier_champions, read

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def changes(*said: tuple[Kind, str]) -> list[Change]:
    """A history of these kinds and new champions, a minute apart."""
    made, before = [], None
    for minutes, (kind, after) in enumerate(said):
        made.append(Change(kind, BEGAN + timedelta(minutes=minutes), "maria", before, after, {}))
        before = after
    return made


def test_a_change_survives_its_tag() -> None:
    change = Change(Kind.FORCE, BEGAN, "maria", "1", "2", {"caution_recall": 0.9}, "retired 🙂", "Recall falls.")
    name, value = change.tag
    assert read({name: value, "other": "x", "change.nonsense": "x", f"{name[:-2]}9Z": "{"}) == [change]
    assert len(Change(Kind.FORCE, BEGAN, "m", "1", "2", {}, "r" * 9_000, "d" * 9_000).tag[1]) < 5_000


def test_a_rollback_leads_to_the_champion_before() -> None:
    for said, champion, earlier in (
        ([(Kind.PROMOTE, "1")], "1", []),
        ([(Kind.PROMOTE, "1"), (Kind.PROMOTE, "2")], "2", ["1"]),
        ([(Kind.PROMOTE, "1"), (Kind.PROMOTE, "2"), (Kind.ROLLBACK, "1")], "1", []),
        ([(Kind.PROMOTE, "1"), (Kind.PROMOTE, "2"), (Kind.PROMOTE, "3"), (Kind.ROLLBACK, "2")], "2", ["1"]),
        ([(Kind.PROMOTE, "1"), (Kind.PROMOTE, "2"), (Kind.ROLLBACK, "1"), (Kind.PROMOTE, "3")], "3", ["1"]),
        ([(Kind.PROMOTE, "1"), (Kind.PROMOTE, "2"), (Kind.ROLLBACK, "1"), (Kind.PROMOTE, "2")], "2", ["1"]),
        ([(Kind.PROMOTE, "1"), (Kind.PROMOTE, "2"), (Kind.PROMOTE, "1")], "1", ["2"]),
        ([(Kind.PROMOTE, "1"), (Kind.PROMOTE, "2"), (Kind.ROLLBACK, "1"), (Kind.ROLLBACK, "2")], "2", []),
    ):
        assert earlier_champions(changes(*said), champion) == earlier, said


@given(st.lists(st.tuples(st.sampled_from(["promote", "rollback"]), st.sampled_from("1234")), max_size=12))
def test_no_rollback_leads_to_a_version_that_was_rolled_back_from(steps: list[tuple[str, str]]) -> None:
    history: list[Change] = []
    champion: str | None = None
    left: set[str] = set()
    for minutes, (what, number) in enumerate(steps):
        at = BEGAN + timedelta(minutes=minutes)
        if what == "promote" and number != champion:
            history.append(Change(Kind.PROMOTE, at, "m", champion, number, {}))
            left.discard(number)
            champion = number
        elif what == "rollback" and champion:
            earlier = earlier_champions(history, champion)
            assert not set(earlier) & left
            if earlier:
                history.append(Change(Kind.ROLLBACK, at, "m", champion, earlier[0], {}))
                left.add(champion)
                champion = earlier[0]
