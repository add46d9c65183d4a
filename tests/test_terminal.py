"""A verdict on a terminal and in a pipe."""

import io
import re

import pytest

from bot.terminal import show
from bot.verdict import UNREAD_SENTENCE, Category, Draft, Fallback, Finding, Label, Verdict

NOTE = "It misses irony."
DRAFT = Draft(text="Per my LAST email, [bold]Tom[/bold]:\nyou idiot \x1b[31m.")
CAUTION = Verdict(
    label=Label.CAUTION,
    findings=(Finding(category=Category.INSULT, excerpt="you idiot", reason="It stays with [Tom]."),),
    rewrite="It's all in my email, [bold]Tom[/bold].\nPromise.",
    model="gpt-x",
    version="3",
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    show(DRAFT, verdict, offline_note=NOTE, out=out)
    return out.getvalue()


def in_pipe(verdict: Verdict) -> str:
    out = io.StringIO()
    show(DRAFT, verdict, offline_note=NOTE, out=out)
    return out.getvalue()


def test_the_words_are_marked_in_the_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1;4;33myou idiot\x1b[0m" in on_terminal(CAUTION, monkeypatch)


def test_what_is_selected_is_the_rewrite_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    plain = on_terminal(CAUTION.model_copy(update={"findings": ()}), monkeypatch)
    assert "It's all in my email, [bold]Tom[/bold].\nPromise." in plain.replace("\x1b[1m", "").replace("\x1b[0m", "")


def test_text_is_shown_as_typed_and_never_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    for shown in (on_terminal(CAUTION, monkeypatch), in_pipe(CAUTION)):
        assert "[bold]Tom[/bold]" in shown
        assert "[Tom]" in shown
        assert "\x1b[31m." not in shown


def test_a_pipe_gets_plain_lines() -> None:
    assert in_pipe(CAUTION).splitlines() == [
        "You might want to read that again before pressing send.",
        "- “you idiot”: It stays with [Tom].",
        "Suggested rewrite:",
        "    It's all in my email, [bold]Tom[/bold].",
        "    Promise.",
        "Answered by gpt-x, version 3.",
    ]


def test_a_caution_without_a_rewrite_says_so_or_gives_a_tip(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = CAUTION.model_copy(update={"rewrite": None})
    tipped = bare.model_copy(update={"tip": "Say what you need."})
    for said in (lambda verdict: on_terminal(verdict, monkeypatch), in_pipe):
        assert "The model suggested no rewrite." in said(bare)
        assert "Tip: Say what you need." in said(tipped)
        assert "no rewrite" not in said(tipped)


def test_what_a_rewrite_lost_and_made_up_is_said() -> None:
    said = in_pipe(CAUTION.model_copy(update={"lost": ("4711", "@tom"), "added": ("5",)}))
    assert "Left out of the rewrite: 4711, @tom" in said
    assert "Not in your draft: 5" in said


@pytest.mark.parametrize("why", list(Fallback))
def test_every_fallback_is_explained_with_what_the_offline_check_misses(why: Fallback) -> None:
    said = in_pipe(Verdict(label=Label.GOOD, model="offline", offline=True, fallback=why))
    assert "so the offline check answered. It misses irony." in said.replace("\n", " ")


def test_an_unread_draft_is_said_to_be_one_and_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    unread = Verdict(label=Label.UNREAD, model="offline", offline=True)
    for said in (on_terminal(unread, monkeypatch), in_pipe(unread)):
        said = " ".join(re.sub("\x1b\\[[0-9;]*m", "", said).split())
        assert said.startswith(UNREAD_SENTENCE)
        assert "a chat model reads most languages. For a chat model, set OPENAI_API_KEY" in said
        assert NOTE not in said


def test_the_offline_check_says_how_to_use_a_chat_model() -> None:
    said = in_pipe(Verdict(label=Label.GOOD, model="offline", offline=True))
    assert "OPENAI_API_KEY" in said
    assert NOTE in said
