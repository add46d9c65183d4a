"""What `angel` makes of a terminal that can't show a letter, and of an output that can't be written."""

import json
import logging
import os
import sys
from pathlib import Path

import click
import pytest

from bot import cli
from bot.verdict import CAUTION_SENTENCE
from tests.cli.conftest import Main
from tests.processes import HANG, ROOT, finish, start

STINGS = "You idiot 🙂, as per my last email"
CAUTION, COULD_NOT_CHECK = 1, 2


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(cache_dir))


@pytest.mark.parametrize("encoding", ["ascii", "us-ascii", "cp1252", "latin-1", "shift_jis", "utf-8"])
def test_what_a_terminal_cannot_show_is_replaced(main: Main, encoding: str) -> None:
    code, out, err = main("check", STINGS, encoding=encoding)
    assert (code, err) == (CAUTION, b"")
    lines = out.decode(encoding).splitlines()
    assert lines[0] == CAUTION_SENTENCE
    assert "You idiot" in lines[1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_loses_no_letter_whatever_the_terminal_shows(main: Main, encoding: str) -> None:
    _, out, _ = main("check", "--json", "You idiot, read it 🙂é", encoding=encoding)
    _, whole, _ = main("check", "--json", "You idiot, read it 🙂é")
    assert json.loads(out.decode(encoding)) == json.loads(whole)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", STINGS),
        ("check", "Thanks!"),
        ("check", "--json", STINGS),
        ("--help",),
        ("check", "--help"),
        ("--version",),
        ("manifest",),
        ("manifest", "--link"),
        ("doctor",),
        ("try",),
        ("model", "show"),
        ("screen", "-"),
    ],
    ids=" ".join,
)
def test_an_output_that_cannot_be_written_is_one_line_and_never_a_verdict(
    main: Main, arguments: tuple[str, ...]
) -> None:
    code, _, err = main(*arguments, out="/dev/full", input=b"You idiot\nThanks!\n")
    assert (code, err) == (COULD_NOT_CHECK, b"angel: The output can't be written: No space left on device.\n")


def test_errors_that_cannot_be_written_change_no_exit_code(main: Main) -> None:
    assert main("check", "", err="/dev/full")[0] == COULD_NOT_CHECK
    assert main("chekc", err="/dev/full")[0] == COULD_NOT_CHECK
    assert main("check", STINGS, out="/dev/full", err="/dev/full")[0] == COULD_NOT_CHECK
    assert main("check", STINGS, err="/dev/full")[0] == CAUTION


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_errors_are_shown_as_far_as_they_can_be(main: Main, encoding: str) -> None:
    code, _, err = main("screen", "nowhere-🙂.csv", encoding=encoding)
    assert code == COULD_NOT_CHECK
    assert "nowhere-" in err.decode(encoding)
    assert b"Traceback" not in err


def test_a_mistake_of_angels_own_is_one_line_without_the_message(
    main: Main, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise LookupError(STINGS)

    monkeypatch.setattr(cli.parts, "settings", fail)
    code, out, err = main("check", STINGS)
    assert (code, out) == (COULD_NOT_CHECK, b"")
    assert err.count(b"\n") == 1
    assert b"LookupError" in err
    caplog.set_level(logging.INFO)  # as -v does, where nothing else has set up the log
    code, out, err = main("-v", "check", STINGS)
    assert (code, out) == (COULD_NOT_CHECK, b"")
    assert b"test_streams.py" in err, "with -v one reads where it is"
    assert b"idiot" not in err


def test_a_closed_pipe_is_quiet_and_never_a_verdict(main: Main) -> None:
    for arguments in (("check", STINGS), ("check", "Thanks!"), ("manifest",), ("screen", "-")):
        reader, writer = os.pipe()
        os.close(reader)
        code, _, err = main(*arguments, out=os.fdopen(writer, "w"), input=b"hi\n" * 3)
        assert (code, err) == (COULD_NOT_CHECK, b""), arguments


def test_so_it_is_for_a_process() -> None:
    result = finish("check", STINGS, PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (CAUTION, b"")
    assert result.stdout.decode("ascii").startswith(CAUTION_SENTENCE)
    with Path("/dev/full").open("wb") as full, start("manifest", stdout=full) as child:
        _, err = child.communicate(timeout=HANG)
    assert (child.returncode, err) == (
        COULD_NOT_CHECK,
        b"angel: The output can't be written: No space left on device.\n",
    )


def test_a_package_that_is_missing_is_one_line_and_never_a_verdict(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ImportError('No module named click')")
    with start("check", STINGS, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}") as child:
        out, err = child.communicate(timeout=HANG)
    assert (child.returncode, out, err.count(b"\n")) == (COULD_NOT_CHECK, b"", 1)
    assert b"requirements.txt" in err


def test_a_process_without_streams_still_tells_by_its_exit_code(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["angel", "check", STINGS])
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    for opened in (sys.stdout, sys.stderr):
        opened.close()
    assert ended.value.code == CAUTION


def test_an_argument_is_read_as_it_was_typed_in_a_locale_without_utf_8(
    main: Main,
) -> None:
    typed = STINGS.encode().decode("ascii", "surrogateescape")  # what Python makes of it there
    code, out, _ = main("check", "--json", typed)
    assert (code, json.loads(out)) == (CAUTION, json.loads(main("check", "--json", STINGS)[1]))
    assert main("check", os.fsdecode(b"half an emoji \xf0\x9f"))[0] == COULD_NOT_CHECK


def test_every_command_is_told_of_in_a_whole_sentence() -> None:
    cut = []
    groups: list[tuple[str, click.Group]] = [("angel", cli.angel)]
    while groups:
        path, group = groups.pop()
        context = click.Context(group, info_name=path, terminal_width=80)
        for line in group.get_help(context).split("Commands:")[1].splitlines():
            cut += [f"{path}: {line}"] if (line and not line.endswith(".")) or line.endswith("...") else []
        groups += [(f"{path} {name}", each) for name, each in group.commands.items() if isinstance(each, click.Group)]
    assert cut == []
