"""The command line, through click's runner and as a process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bot
from bot import cli
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, UNREAD_SENTENCE
from tests.cli.conftest import Main
from tests.fakes import FakeOpenAI, error
from tests.processes import HANG, ROOT, finish, start


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(cache_dir))


def angel(*arguments: str, input: str | bytes | None = None) -> Result:
    """`angel` with these arguments. Errors surface as main() would print them: see `finish` for that."""
    return CliRunner().invoke(cli.angel, arguments, input=input, standalone_mode=False)


def test_a_good_message_exits_with_0() -> None:
    result = angel("check", "Thanks for helping out with the move this weekend.")
    assert result.return_value == 0
    assert result.output.startswith(GOOD_SENTENCE)


def test_a_stinging_message_exits_with_1_and_says_why() -> None:
    result = angel("check", "As per my last email, you idiot.")
    assert result.return_value == 1
    assert result.output.startswith(CAUTION_SENTENCE)
    assert "“As per my last email”" in result.output
    assert "offline check" in result.output


def test_a_message_in_another_language_is_said_to_be_unread_and_exits_with_2() -> None:
    result = angel("check", "Eres un imbécil.")
    assert result.return_value == 2
    assert result.output.startswith(UNREAD_SENTENCE)
    assert "a chat model reads most languages" in result.output
    result = angel("check", "--json", "Eres un imbécil.")
    assert result.return_value == 2
    said = json.loads(result.output)
    assert (said["verdict"], said["sentence"], said["offline"]) == ("unread", UNREAD_SENTENCE, True)


@pytest.mark.parametrize("arguments", [["check"], ["check", "-"]])
def test_standard_input_is_read(arguments: list[str]) -> None:
    result = angel(*arguments, input="As per my last email,\nno.\n")
    assert result.return_value == 1


def test_json_has_the_promised_keys() -> None:
    result = angel("check", "--json", "You idiot, read it 🙂")
    assert list(json.loads(result.output)) == [
        "verdict", "sentence", "findings", "rewrite", "tip", "lost", "added", "model", "version", "offline", "fallback",
    ]  # fmt: skip
    assert len(result.output.splitlines()) == 1


def test_the_chat_model_answers_where_one_is_configured(
    openai_server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_MODEL", "gpt-x")
    result = angel("check", "--tone", "brief", "--context", "to my boss", "You idiot")
    assert "Suggested rewrite:\n    You genius" in result.output
    assert "Answered by gpt-x." in result.output
    assert json.loads(openai_server.requests[0]["messages"][1]["content"]) == {"tone": "brief", "context": "to my boss"}


def test_the_offline_check_answers_where_the_chat_model_fails(openai_server: FakeOpenAI) -> None:
    openai_server.replies.append(error(401, "invalid_api_key"))
    result = finish("check", "You idiot")
    assert result.returncode == 1
    assert "The chat model is not set up right, so the offline check answered." in result.stdout.decode()
    assert "Check OPENAI_API_KEY" in result.stderr.decode()


def test_a_foreign_message_stays_unread_where_the_chat_model_fails(openai_server: FakeOpenAI) -> None:
    openai_server.replies.append(error(401, "invalid_api_key"))
    result = finish("check", "Eres un imbécil.")
    assert result.returncode == 2
    said = result.stdout.decode()
    assert said.startswith(UNREAD_SENTENCE)
    assert "The chat model is not set up right, so the offline check answered." in said


def test_a_model_is_named_by_uri(openai_server: FakeOpenAI, cache_dir: Path) -> None:
    from bot.model.loading import load_offline

    uri = load_offline(cache_dir).uri
    result = angel("check", "--json", "--model", uri, "You idiot")
    assert json.loads(result.output)["offline"] is True
    assert openai_server.requests == []


@pytest.mark.parametrize(
    ("arguments", "input", "said"),
    [
        (("check", ""), None, "nothing to read"),
        (("check",), b"\xff\xfe", "UTF-8"),
        (("check", "x" * 4_001), None, "4,001 characters"),
        (("check", "--model", "nowhere", "x"), None, "No MLflow model could be loaded from nowhere"),
        (("check", "--tone", "angry", "x"), None, "angry"),
        (("chekc",), None, "chekc"),
    ],
)
def test_what_could_not_be_checked_exits_with_2_and_one_message(
    main: Main, arguments: tuple[str, ...], input: bytes | None, said: str
) -> None:
    result = main(*arguments, input=input or b"")
    assert result.code == 2
    assert said in result.err.decode()
    assert "Traceback" not in result.err.decode()
    assert result.out == b""


def test_a_wrong_setting_is_named(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANGEL_DEADLINE", "soon")
    result = main("check", "x")
    assert (result.code, b"ANGEL_DEADLINE" in result.err) == (2, True)


def test_a_dotenv_file_is_read_and_real_variables_win(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-x\nOPENAI_MODEL=from-file\n")
    monkeypatch.setenv("OPENAI_MODEL", "from-shell")
    shown = main("model", "show").out
    assert b"why: OPENAI_API_KEY is set" in shown
    assert b"model: from-shell" in shown


def test_model_show_tells_the_model_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "offline" in angel("model", "show").output
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert "why: OPENAI_BASE_URL is set" in angel("model", "show").output
    monkeypatch.setenv("ANGEL_MODEL_URI", "models:/text-message-angel@champion")
    assert "model: models:/text-message-angel@champion\nwhy: ANGEL_MODEL_URI is set" in angel("model", "show").output


def test_try_shows_the_tutorials_five_messages() -> None:
    result = angel("try")
    sentences = [line for line in result.output.splitlines() if line in (GOOD_SENTENCE, CAUTION_SENTENCE)]
    assert sentences == [CAUTION_SENTENCE, CAUTION_SENTENCE, GOOD_SENTENCE, GOOD_SENTENCE, CAUTION_SENTENCE]


def test_control_characters_never_reach_a_terminal() -> None:
    result = angel("check", "You idiot \x1b[31m \x07 as per my last email")
    assert not set("\x1b\x07") & set(result.output)


def test_help_imports_no_heavy_package() -> None:
    code = (
        "import sys\nfrom bot.cli import angel\n"
        "for arguments in (['--help'], ['check', '--help'], ['model', '--help']):\n"
        "    angel.main(arguments, standalone_mode=False)\n"
        "print('HEAVY', sorted({'mlflow', 'openai', 'slack_bolt', 'slack_sdk', 'pandas', 'rich'} & set(sys.modules)))"
    )
    result = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert result.stdout.splitlines()[-1] == "HEAVY []"


def test_the_version_is_told(main: Main) -> None:
    assert bot.__version__.encode() in main("--version").out


def test_ctrl_c_is_quiet(openai_server: FakeOpenAI) -> None:
    openai_server.seconds = 30
    child = start("check", "You idiot")
    openai_server.wait_for_request()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=HANG)
    assert (child.returncode, out, err) == (130, b"", b"\n")  # click ends the line that the terminal shows ^C on


def test_ctrl_c_is_quiet_from_the_start() -> None:
    child = start("check", "Hi!", python=("-X", "importtime"))  # which tells of each import when it is done
    assert child.stderr is not None
    next(line for line in child.stderr if b" bot.errors" in line)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=HANG)
    assert (child.returncode, out) == (130, b"")
    assert b"Traceback" not in err
