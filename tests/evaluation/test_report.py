"""The report says what the scorecard says, shows every text as text, and fetches nothing."""

import re
import struct
from html.parser import HTMLParser
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from bot.errors import AngelError
from bot.evaluation.changes import ChangeKind, compare
from bot.evaluation.examples import Example
from bot.evaluation.prices import Price
from bot.evaluation.report import (
    CHANGE_TITLES,
    CHECK_TITLES,
    confusion_picture,
    html_report,
    html_responses,
    terminal_changes,
    terminal_figures,
    terminal_responses,
)
from bot.evaluation.scorecard import Outcome, Scorecard, score
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, Category, Finding, Label, Verdict

HOSTILE = "<img src=x onerror=alert(1)> {{ 7*7 }} [bold]&amp; \"quoted\" 'too'"


class Page(HTMLParser):
    """The tags, attributes and visible text of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def printed(renderable: RenderableType, width: int = 160) -> str:
    out = StringIO()
    Console(file=out, width=width, force_terminal=False).print(renderable)
    return out.getvalue()


def a_card(
    hostile: str = HOSTILE, *, model: str = "some-model", version: str | None = "7", weak: bool = False
) -> Scorecard:
    """One row of each outcome: caught, missed, let pass, false alarm, refused, a caution without a rewrite."""
    caution = Verdict(
        label=Label.CAUTION,
        findings=(Finding(category=Category.PASSIVE_AGGRESSION, excerpt="as usual", reason="It keeps score."),),
        rewrite=f"Could we sort this out? {hostile}",
        input_tokens=700,
        output_tokens=50,
    )
    good = Verdict(label=Label.GOOD, input_tokens=700, output_tokens=10)

    def row(
        text: str, label: Label, verdict: Verdict | None, error: str | None = None, check: Label = Label.GOOD
    ) -> Outcome:
        example = Example(text=text, label=label, why=f"A reason, {hostile}", slice="self_directed", language="fr")
        return Outcome(
            example=example,
            verdict=verdict,
            error=error,
            latency_ms=1_234.5,
            own_check=check,
            offline_check=Label.GOOD,
        )

    outcomes = [
        row(f"late as usual {hostile}", Label.CAUTION, good if weak else caution),
        row("missed one", Label.CAUTION, good),
        row("let pass", Label.GOOD, good),
        row("false alarm", Label.GOOD, good if weak else caution),
        row("refused one", Label.GOOD, None, "refused"),
        row("no rewrite here", Label.CAUTION, caution.model_copy(update={"rewrite": None, "tip": "Ask for it."})),
        row("own check fails", Label.CAUTION, caution.model_copy(update={"rewrite": "Shall we?"}), check=Label.CAUTION),
    ]
    return score(outcomes, model=model, version=version, prices={"some-model": Price(1, 10)})


class TestTheReport:
    def test_begins_with_a_summary_in_words(self) -> None:
        page = Page(html_report(a_card()))
        assert "It caught 3 of 4 messages that sting and raised a false alarm on 1 of 2 that don't." in page.text
        assert "1 message got no verdict (refused 1)." in page.text

    def test_shows_every_figure_with_its_interval(self) -> None:
        card = a_card()
        text = Page(html_report(card)).text
        low, high = card.recall.interval
        assert f"75.0 % 3 of 4 {low:.1%} to {high:.1%}".replace("%", " %").replace("  ", " ") in text
        assert "1.2 s" in text
        assert "$1.07" in text
        for title in CHECK_TITLES.values():
            assert title in text

    def test_says_unknown_for_what_is_unknown(self) -> None:
        assert "Cost per thousand messages unknown" in Page(html_report(a_card(model="another"))).text
        empty = Page(html_report(score([], model="m"))).text
        assert "Caution recall (stings caught) unknown 0 of 0 unknown" in empty

    def test_shows_what_went_wrong_before_all_rows(self) -> None:
        text = Page(html_report(a_card("plain"))).text
        places = [
            text.index(title)
            for title in (
                "Rows that went wrong",
                "Stings it missed (1)",
                "False alarms (1)",
                "No verdict (1)",
                "Rewrites that fail a check (1)",
                "Cautions without a rewrite (1)",
                "All rows",
            )
        ]
        assert places == sorted(places)
        assert text.count("missed one") == 2
        assert text.count("let pass") == 1
        assert "Failed checks: passes this model's own check" in text
        assert "Ask for it." in text

    def test_gives_the_gates_reasons_or_its_blessing_or_neither(self) -> None:
        assert (
            "It may not become champion yet. Recall <fell>."
            in Page(html_report(a_card(), reasons=["Recall <fell>."])).text
        )
        assert "every threshold is met" in Page(html_report(a_card(), reasons=[])).text
        assert "champion" not in Page(html_report(a_card())).text

    def test_sets_another_model_beside_it_with_the_rows_that_changed(self) -> None:
        text = Page(html_report(a_card(weak=True), against=a_card(model="older", version="6"))).text
        assert "next to older version 6" in text
        assert "Broken: 1, fixed: 1, rewrite spoiled: 0, rewrite mended: 0" in text
        assert "None: both give every message the same verdict" in Page(html_report(a_card(), against=a_card())).text

    def test_refuses_another_model_that_saw_other_examples(self) -> None:
        with pytest.raises(AngelError, match="same examples"):
            html_report(a_card(), against=a_card("other words"))

    @pytest.mark.parametrize("render", [html_report, html_responses])
    def test_shows_every_text_as_text(self, render: object) -> None:
        source = render(a_card())  # type: ignore[operator]  # both take a scorecard
        page = Page(source)
        assert HOSTILE in page.text
        assert {"img", "script"} & {tag for tag, _ in page.tags} == set()
        assert HOSTILE in Page(html_report(a_card(model=HOSTILE, version=HOSTILE))).text

    @settings(max_examples=30)
    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
    def test_grows_no_tag_from_any_text(self, text: str) -> None:
        plain = [tag for tag, _ in Page(html_responses(a_card("plain"))).tags]
        assert [tag for tag, _ in Page(html_responses(a_card(text))).tags] == plain

    @pytest.mark.parametrize("render", [html_report, html_responses])
    def test_fetches_nothing(self, render: object) -> None:
        source = render(a_card("plain"))  # type: ignore[operator]  # both take a scorecard
        page = Page(source)
        assert not re.search(r"https?:|//|url\(|@import", source)
        assert {name for _, attributes in page.tags for name in attributes} & {"src", "href"} == set()
        (policy,) = [each["content"] for each in page.attributes("meta") if "http-equiv" in each]
        assert policy is not None
        assert policy.startswith("default-src 'none'")

    @pytest.mark.parametrize("render", [html_report, html_responses])
    def test_reads_well_aloud_and_in_the_dark(self, render: object) -> None:
        source = render(a_card())  # type: ignore[operator]  # both take a scorecard
        page = Page(source)
        assert all("scope" in attributes for attributes in page.attributes("th"))
        assert len(page.attributes("caption")) == len(page.attributes("table"))
        assert page.attributes("html") == [{"lang": "en"}]
        assert all(each["lang"] == "fr" for each in page.attributes("p") if "dir" in each)
        assert "prefers-color-scheme: dark" in source

    def test_knows_a_title_for_every_check_and_change(self) -> None:
        assert set(CHECK_TITLES) == set(score([], model="m").checks)
        assert set(CHANGE_TITLES) == set(ChangeKind)

    def test_says_when_a_check_itself_failed(self) -> None:
        def brittle(_: Outcome, __: str) -> bool:
            raise ZeroDivisionError

        card = score([row.outcome for row in a_card().rows], model="m", checks={"brand_new": brittle})
        assert "The check “brand new” itself failed 2 times." in Page(html_report(card)).text


class TestFormattedResponses:
    def test_stand_beside_their_messages(self) -> None:
        text = Page(html_responses(a_card("plain"))).text
        assert f"late as usual plain {CAUTION_SENTENCE} Suggested rewrite Could we sort this out? plain caution" in text
        assert f"let pass {GOOD_SENTENCE} good" in text
        assert "refused one No verdict (refused) good but is not" in text

    def test_are_the_same_in_the_terminal(self) -> None:
        shown = printed(terminal_responses(a_card("plain")))
        for part in (
            CAUTION_SENTENCE,
            "Suggested rewrite: Could we sort this out? plain",
            GOOD_SENTENCE,
            "No verdict (refused)",
        ):
            assert part in shown


class TestTheTerminal:
    def test_shows_the_figures_side_by_side(self) -> None:
        shown = printed(terminal_figures(a_card(), against=a_card(model="older", version=None)))
        (recall,) = [line for line in shown.splitlines() if "Caution recall" in line]
        assert recall.count("75.0 %") == 2
        assert "3 of 4" in recall
        (cost,) = [line for line in shown.splitlines() if "Cost per thousand" in line]
        assert "$1.07" in cost
        assert "unknown" in cost

    def test_shows_the_rows_that_changed(self) -> None:
        shown = printed(terminal_changes(compare(a_card("plain"), a_card("plain", weak=True))))
        assert "Broken: 1, fixed: 1" in shown
        assert re.search(r"broken .*late as usual plain .*caution .*good", shown)

    def test_takes_no_orders_from_a_message(self) -> None:
        card = a_card("\x1b[2J\x07 [red]not markup[/red]")
        for shown in (
            printed(terminal_responses(card)),
            printed(terminal_changes(compare(card, a_card("\x1b[2J\x07 [red]not markup[/red]", weak=True)))),
            printed(terminal_figures(a_card(model="\x1b[2J[red]m[/red]"))),
        ):
            assert "\x1b" not in shown
            assert "\x07" not in shown
            assert "[red]" in shown


class TestThePicture:
    @pytest.mark.parametrize("model", ["some-model", "$odd_{name", "a very long name of a model " * 5])
    def test_is_a_png_of_the_matrix(self, model: str) -> None:
        picture = confusion_picture(a_card(model=model))
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", picture[16:24])
        assert width > height > 300

    def test_is_drawn_of_no_rows_too(self) -> None:
        assert confusion_picture(score([], model="m")).startswith(b"\x89PNG")
