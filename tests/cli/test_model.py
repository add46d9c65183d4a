"""`angel model log`, `evaluate`, `promote`, `rollback`, `list`: through click's runner, on a real store."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import mlflow.genai
import pytest
from click.testing import CliRunner, Result
from mlflow.tracking import MlflowClient

from bot import cli
from bot.errors import AngelError
from bot.evaluation.examples import digest, read_examples
from bot.evaluation.mlflow_internals import model_id_of
from bot.evaluation.prompts import PROMPT
from bot.evaluation.store import EVALUATIONS, EXPERIMENT, MODEL
from tests.fakes import FakeOpenAI, Reply, verdict
from tests.labelled import FINE, REWRITES, STINGS, judge, judge_of_the_examples, write_examples
from tests.processes import HANG, finish, start

pytestmark = [
    pytest.mark.usefixtures("mlflow_store"),
    pytest.mark.xdist_group("standing"),  # which is made once for each worker, and takes many seconds
]


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(tmp_path / "cache"))


class Telling(deque[Reply]):
    """Replies that wait at a barrier, in a thread of their own, whenever one of them will hang."""

    def __init__(self, replies: list[Reply], barrier: threading.Barrier) -> None:
        super().__init__(replies)
        self._barrier = barrier

    def popleft(self) -> Reply:
        reply = super().popleft()
        if reply.hang:
            threading.Thread(target=self._barrier.wait, args=(HANG,), daemon=True).start()
        return reply


class Refusing:
    """Hangs up on everybody who comes to this port, and counts them."""

    def __init__(self, port: socket.socket) -> None:
        self.times = 0
        threading.Thread(target=self._hang_up, args=(port,), daemon=True).start()

    def _hang_up(self, port: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                come, _ = port.accept()
                self.times += 1
                come.close()


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_examples(tmp_path / "messages.csv"))


def model(*arguments: str) -> Result:
    """`angel model` with these arguments; an error surfaces as `result.exception`, and main() prints it."""
    return CliRunner().invoke(cli.angel, ["model", *arguments], standalone_mode=False)


def done(*arguments: str) -> Result:
    result = model(*arguments)
    assert result.exception is None, result.exception
    assert result.return_value == 0, result.output
    return result


def refused(*arguments: str) -> str:
    result = model(*arguments)
    assert isinstance(result.exception, AngelError), result.exception or result.output
    return str(result.exception)


def client() -> MlflowClient:
    """A client of this test's store; left to itself, MLflow takes the last one this process used."""
    return MlflowClient(os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_TRACKING_URI"])


def aliases() -> dict[str, str]:
    return {name: str(number) for name, number in client().get_registered_model(MODEL).aliases.items()}


def runs() -> list[str]:
    known = [client().get_experiment_by_name(name) for name in (EXPERIMENT, EVALUATIONS)]
    known_ids = [experiment.experiment_id for experiment in known if experiment]
    found = client().search_runs(known_ids, order_by=["attributes.start_time DESC"])
    return [run.info.run_id for run in found]


def value_of(output: str, name: str) -> str:
    return next(line.removeprefix(f"{name}: ") for line in output.splitlines() if line.startswith(f"{name}: "))


@dataclass(frozen=True)
class Standing:
    """A store with two versions evaluated: 1 knows every sting and is champion; 2, the candidate, is worse."""

    store: Path
    data: str
    first: Result
    second: Result
    asked: list[str]


@pytest.fixture(scope="session")
def _standing(tmp_path_factory: pytest.TempPathFactory, _migrated_store: Path) -> Standing:
    folder = tmp_path_factory.mktemp("standing")
    shutil.copyfile(_migrated_store, folder / "mlflow.db")
    data = str(write_examples(folder / "messages.csv"))
    with FakeOpenAI() as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        patch.setenv("ANGEL_CACHE_DIR", str(folder / "cache"))
        patch.setenv("OPENAI_BASE_URL", server.url)
        server.judge = judge()
        done("log", "--model", "gpt-x")
        server.requests.clear()
        first = done("evaluate", "--data", data)
        asked = server.drafts()
        done("promote", "--data", data)
        server.judge = judge(misses=STINGS[:3], alarms=FINE[:2])
        done("log", "--model", "gpt-y")
        second = done("evaluate", "--data", data)
        assert len(list((folder / "cache" / "evaluations").iterdir())) == 2, "a file of answers for each model"
    return Standing(folder / "mlflow.db", data, first, second, asked)


@pytest.fixture
def standing(_standing: Standing, mlflow_store: str) -> Standing:
    """The same, in the test's own store."""
    shutil.copyfile(_standing.store, mlflow_store.removeprefix("sqlite:///"))
    return _standing


class TestLog:
    def test_a_version_is_logged_without_key_or_server(self) -> None:
        result = done("log", "--model", "gpt-x", "--temperature", "0.3", "--max-tokens", "99")
        assert result.stdout.startswith(
            "Version 1 is the candidate now. It asks gpt-x.\nuri: models:/text-message-angel/1"
        )
        assert "angel model evaluate" in result.stdout
        assert aliases() == {"candidate": "1"}
        run = client().get_run(value_of(result.stdout, "run"))
        assert run.data.params.items() >= {
            "model": "gpt-x", "temperature": "0.3", "reasoning_effort": "none", "max_tokens": "99",
        }.items()  # fmt: skip
        assert len(run.data.params) <= 6, "neither the instructions nor the schema in pieces"
        (logged,) = client().search_logged_models([run.info.experiment_id])
        assert logged.name == "gpt-x-prompt-1"

    def test_nothing_but_the_result_is_printed(self) -> None:
        result = finish("model", "log")
        assert result.returncode == 0
        assert result.stderr == b""
        assert len(result.stdout.splitlines()) == 6

    def test_an_unreachable_server_is_no_obstacle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
        done("log")

    def test_a_prompt_file_becomes_a_version_of_the_prompt(self, tmp_path: Path) -> None:
        file = tmp_path / "prompt.txt"
        file.write_text("Judge kindly. Answer as JSON with findings, verdict and rewrite.")
        assert "prompt: version 1" in done("log").stdout
        result = done("log", "--prompt", str(file))
        assert "prompt: version 2" in result.stdout
        assert result.stderr == ""
        assert "prompt: version 2" in done("log", "--prompt", str(file), "--model", "gpt-y").stdout
        assert client().get_prompt_version(PROMPT, "2").template == file.read_text()
        assert aliases()["candidate"] == "3"

    def test_a_version_of_the_registry_is_named_by_its_number_or_an_alias(self, openai_server: FakeOpenAI) -> None:
        for text in ("Be kind.", "Be brief.", "Be funny."):
            mlflow.genai.register_prompt(name=PROMPT, template=text)
        client().set_prompt_alias(PROMPT, "mine", 2)
        for wanted, number, text in ((f"{PROMPT}/3", 3, "Be funny."), (f"{PROMPT}@mine", 2, "Be brief.")):
            assert f"prompt: version {number}" in done("log", "--prompt", f"prompts:/{wanted}").stdout
            assert openai_server.requests[-1]["messages"][0]["content"] == text, "MLflow tries the model it logs"
            assert client().get_prompt_version_by_alias(PROMPT, "candidate").version == number
        assert "There is no prompt prompts:/" in refused("log", "--prompt", f"prompts:/{PROMPT}/9")
        assert aliases() == {"candidate": "2"}

    def test_a_prompt_that_asks_for_no_json_is_noted(self, tmp_path: Path) -> None:
        (tmp_path / "prompt.txt").write_text("Judge kindly and give a verdict.")
        assert "doesn't mention json, findings, rewrite" in done("log", "--prompt", "prompt.txt").stderr

    @pytest.mark.parametrize(
        ("content", "said"), [(None, "could not be opened"), (b" \n", "is empty"), (b"\xff\xfe", "not UTF-8")]
    )
    def test_a_prompt_that_cannot_be_read_is_named(self, tmp_path: Path, content: bytes | None, said: str) -> None:
        if content is not None:
            (tmp_path / "prompt.txt").write_bytes(content)
        message = refused("log", "--prompt", "prompt.txt")
        assert "prompt.txt" in message
        assert said in message

    def test_a_store_that_is_none_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "bad.db").write_text("some other file")
        for address in (f"sqlite:///{tmp_path}/bad.db", f"file://{tmp_path}/store", "nonsense://x"):
            monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
            assert "Check MLFLOW_TRACKING_URI" in refused("log")


class TestEvaluate:
    def test_the_figures_are_printed_apart_with_their_intervals(self, standing: Standing) -> None:
        assert "Asking gpt-y (version 2, candidate) about 14 messages." in standing.second.stderr
        for title, share, rows, interval in (
            ("Caution recall", "62.5 %", "5 of 8", "30.6 % to 86.3 %"),
            ("Caution precision", "71.4 %", "5 of 7", "35.9 % to 91.8 %"),
            ("False alarms", "33.3 %", "2 of 6", "9.7 % to 70.0 %"),
        ):
            assert re.search(rf"{title} .*│ +{share} │ +{rows} │ +{interval} │", standing.second.stdout)
        assert "Stings it missed" in standing.second.stdout
        assert "caution" in standing.second.stdout.split("Formatted responses")[1]

    def test_everything_stands_in_mlflow(self, standing: Standing) -> None:
        run = client().get_run(value_of(standing.second.stdout, "run"))
        metrics = run.data.metrics
        for name, share in (
            ("caution_recall", 5 / 8),
            ("caution_precision", 5 / 7),
            ("false_alarms", 2 / 6),
            ("no_verdict", 0),
        ):
            assert metrics[name] == pytest.approx(share)
        assert metrics["rewrites_clean"] == 1
        assert len(metrics) <= 14, "what one reads first"
        model_id = model_id_of(client().get_model_version(MODEL, "2"))
        assert model_id is not None
        assert run.inputs is not None
        assert {each.model_id for each in run.inputs.model_inputs} == {model_id}
        on_the_model = {each.key: each.value for each in client().get_logged_model(model_id).metrics or ()}
        assert on_the_model["caution_recall"] == pytest.approx(5 / 8), "on the model's page, too"
        prompts = json.loads(run.data.tags["mlflow.linkedPrompts"])
        assert prompts == [{"name": PROMPT, "version": "1"}]
        assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["messages.csv"]
        assert {"latency_p50_ms", "latency_p95_ms", "input_tokens", "output_tokens"} <= set(metrics)
        assert run.data.params.items() >= {
            "model": "gpt-y", "version": "2", "prompt_version": "1", "data": "messages.csv", "rows": "14",
            "reasoning_effort": "none", "max_tokens": "600",
        }.items()  # fmt: skip
        report = Path(value_of(standing.second.stdout, "report"))
        assert STINGS[0] in report.read_text()
        assert "It may not become champion yet." in report.read_text()
        assert STINGS[0] in report.with_name("responses.html").read_text()
        assert report.with_name("confusion_matrix.png").read_bytes().startswith(b"\x89PNG")
        assert len(json.loads(report.with_name("rows.json").read_text())["data"]) == 14

    def test_no_message_is_asked_about_twice_and_each_rewrite_is_checked(self, standing: Standing) -> None:
        assert sorted(standing.asked) == sorted([*STINGS, *FINE, *REWRITES.values()])

    def test_without_a_candidate_the_configured_model_answers_the_tutorials_messages(self) -> None:
        result = done("evaluate", "--limit", "5")
        assert "Asking the offline check about 5 messages." in result.stderr
        assert result.stdout.split("Formatted responses")[1].count("Good to Go!") == 2
        page = Path(value_of(result.stdout, "report")).with_name("responses.html").read_text()
        assert "canned cat food" in page
        assert page.count("You might want to read that again before pressing send.") == 3

    def test_two_models_are_compared_on_the_same_rows(self, standing: Standing, openai_server: FakeOpenAI) -> None:
        judges = {"gpt-x": judge(), "gpt-y": judge(misses=STINGS[:3])}
        # The request it is asked about is the last one: the server reads and answers one at a time.
        openai_server.judge = lambda draft: judges[openai_server.requests[-1]["model"]](draft)
        before = len(runs())
        arguments = ("--data", standing.data, "--limit", "4", "--against", f"models:/{MODEL}@champion")
        result = done("evaluate", *arguments)
        assert "Asking gpt-x (version 1, champion) about 4 messages." in result.stderr
        assert "Broken: 3, fixed: 0" in result.stdout
        assert len(runs()) == before + 2
        assert "gpt-x" in Path(value_of(result.stdout, "report")).read_text()

    def test_a_model_that_fails_on_every_row_is_given_up_on(self, openai_server: FakeOpenAI, data: str) -> None:
        done("log", "--model", "gpt-x")
        openai_server.judge = lambda _: "no idea"
        message = refused("evaluate", "--data", data)
        assert "None of the first 14 messages got a verdict" in message
        assert "could not be read" in message
        assert len(runs()) == 1

    def test_a_row_without_a_verdict_is_counted_and_shown(self, openai_server: FakeOpenAI, data: str) -> None:
        done("log", "--model", "gpt-x")
        openai_server.judge = lambda draft: "no idea" if draft == FINE[0] else judge()(draft)
        result = done("evaluate", "--data", data)
        assert "1 of 14" in result.stdout
        assert "unreadable" in result.stdout

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--model", f"models:/{MODEL}/7"), "No model has been logged yet"),
            (("--model", "nowhere"), "No MLflow model could be loaded from nowhere"),
        ],
    )
    def test_a_model_that_is_not_there_is_named(self, arguments: tuple[str, ...], said: str) -> None:
        assert said in refused("evaluate", *arguments)

    def test_a_file_without_labels_is_refused_before_anything_is_asked(self, tmp_path: Path) -> None:
        (tmp_path / "wrong.csv").write_text("message,verdict\nhello,good\n")
        assert "no column `text`" in refused("evaluate", "--data", "wrong.csv")

    def test_an_mlflow_that_is_down_is_said_before_anything_is_asked(
        self, openai_server: FakeOpenAI, data: str
    ) -> None:
        result = finish("model", "evaluate", "--data", data, MLFLOW_TRACKING_URI="http://127.0.0.1:1")
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert b"Check MLFLOW_TRACKING_URI" in result.stderr
        assert openai_server.requests == []

    @pytest.mark.heavy
    def test_ctrl_c_is_quiet_and_the_same_command_goes_on(
        self, openai_server: FakeOpenAI, data: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_MODEL", "gpt-x")
        hanging = threading.Barrier(2 + 1)
        openai_server.judge = judge()
        openai_server.replies = Telling([*[Reply(verdict("good"))] * 6, *[Reply(hang=True)] * 2], hanging)
        child = start("model", "evaluate", "--data", data, ANGEL_CONCURRENCY="2")
        hanging.wait(30)  # each of its two threads has something in hand that will not come back
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=HANG)
        assert (child.returncode, out) == (130, b"")
        stopped = re.search(
            r"^Stopped after (\d) of 14 messages. The same command goes on from there.$", err.decode(), re.M
        )
        assert stopped, err
        assert "Traceback" not in err.decode()
        [kept] = (Path(os.environ["ANGEL_CACHE_DIR"]) / "evaluations").iterdir()
        assert not any(text in kept.read_text() for text in STINGS + FINE)
        finished = openai_server.drafts()[: int(stopped[1])]
        assert 1 <= len(finished) <= 6
        openai_server.release()
        openai_server.requests.clear()
        done("evaluate", "--data", data)
        assert not set(finished) & set(openai_server.drafts())
        assert set(finished) | set(openai_server.drafts()) >= set(STINGS + FINE)
        # Its answers stay: the same evaluation once more asks nothing.
        openai_server.requests.clear()
        done("evaluate", "--data", data)
        assert openai_server.drafts() == []


class TestPromote:
    def test_a_version_that_passes_the_gate_becomes_champion(self, standing: Standing) -> None:
        assert f"angel model promote 1 --data {standing.data}" in standing.first.stdout
        client().delete_registered_model_alias(MODEL, "champion")
        result = done("promote", "1", "--data", standing.data)
        assert result.stdout == "Version 1 (gpt-x) is the champion now.\n"
        assert aliases() == {"candidate": "2", "champion": "1"}

    def test_a_worse_version_is_refused_with_the_reasons(self, standing: Standing) -> None:
        assert "It does not pass the gate:" in standing.second.stdout
        result = model("promote", "--data", standing.data)
        assert result.return_value == 1
        assert "Version 2 was not promoted:" in result.stderr
        assert "Caution recall falls from 100.0 % (8 of 8) to 62.5 % (5 of 8)" in result.stderr
        assert "The false alarm rate rises" in result.stderr
        assert aliases()["champion"] == "1"

    def test_force_needs_a_reason_and_records_it(self, standing: Standing) -> None:
        assert model("promote", "--data", standing.data, "--force", " ").exception is not None
        assert aliases()["champion"] == "1"
        result = done("promote", "--data", standing.data, "--force", "the old one is retired")
        assert "- Caution recall falls" in result.stdout
        assert "angel model rollback" in result.stdout
        assert aliases() == {"candidate": "2", "champion": "2", "previous": "1"}
        version = client().get_model_version(MODEL, "2")
        run = client().get_run(str(version.run_id))
        for tags in (version.tags, run.data.tags):
            assert tags["forced"] == "the old one is retired"
            assert "Caution recall falls" in tags["forced_despite"]

    def test_a_version_that_was_never_evaluated_is_refused(self) -> None:
        done("log")
        result = model("promote")
        assert result.return_value == 1
        assert "not been evaluated yet: angel model evaluate --model models:/text-message-angel/1" in result.stderr

    @pytest.mark.parametrize("changed", [{"fine": 5}, {"stings": 7}])
    def test_an_evaluation_on_other_examples_does_not_count(
        self, standing: Standing, tmp_path: Path, changed: dict[str, int]
    ) -> None:
        data = write_examples(tmp_path / "messages.csv", **changed)
        result = model("promote", "2", "--data", str(data))
        assert result.return_value == 1
        assert "evaluated on other examples than the current ones, so evaluate it again" in result.stderr

    def test_a_champion_without_an_evaluation_has_to_be_evaluated_first(self, standing: Standing) -> None:
        done("log")
        done("promote", "--data", standing.data, "--force", "in a hurry")
        result = model("promote", "1", "--data", standing.data)
        assert result.return_value == 1
        assert result.stderr.count("\n- ") == 1
        assert "angel model evaluate --model models:/text-message-angel/3" in result.stderr

    def test_an_evaluation_whose_figures_are_gone_has_to_be_done_again(self, standing: Standing) -> None:
        client().set_model_version_tag(MODEL, "2", f"evaluation.{digest(read_examples(Path(standing.data)))}", "gone")
        result = model("promote", "--data", standing.data)
        assert result.return_value == 1
        assert "evaluate" in result.stderr
        assert done("list", "--data", standing.data).stdout.splitlines()[1].split("\t")[4] == "-"

    def test_the_champion_stays_champion(self, standing: Standing) -> None:
        assert done("promote", "1").stdout == "Version 1 is the champion already.\n"
        assert aliases() == {"candidate": "2", "champion": "1"}

    @pytest.mark.parametrize(
        ("logged", "arguments", "said"),
        [
            (False, ("promote",), "No model has been logged yet"),
            (True, ("promote", "7"), "There is no version or alias 7"),
            (True, ("promote", "champion"), "There is no version or alias champion"),
            (True, ("rollback",), "no previous champion"),
            (False, ("rollback",), "no previous champion"),
        ],
    )
    def test_what_is_not_there_is_said(self, logged: bool, arguments: tuple[str, ...], said: str) -> None:
        if logged:
            done("log")
        assert said in refused(*arguments)


def test_rollback_goes_back_once_and_further_only_by_name(standing: Standing) -> None:
    done("promote", "--data", standing.data, "--force", "trying")
    assert "Version 1 (gpt-x) is the champion again, in the place of version 2." in done("rollback").stdout
    assert aliases() == {"candidate": "2", "champion": "1"}
    assert "rolled back from version 2" in refused("rollback")
    assert aliases()["champion"] == "1"
    done("rollback", "2")
    assert aliases()["champion"] == "2"
    assert "is the champion already" in done("rollback", "2").stdout


def test_the_history_says_when_who_what_and_on_which_figures(standing: Standing) -> None:
    done("promote", "--data", standing.data, "--force", "trying")
    done("rollback")
    rows = [line.split("\t") for line in done("history").stdout.splitlines()]
    assert [row[2:] for row in rows] == [
        ["what", "from", "to", "recall", "false alarms", "clean rewrites", "why"],
        ["rollback", "2", "1", "-", "-", "-", "-"],
        ["force", "1", "2", "62.5 %", "33.3 %", "100.0 %", "trying"],
        ["promote", "-", "1", "100.0 %", "0.0 %", "100.0 %", "-"],
    ]
    listed = [line.split("\t")[9] for line in done("list", "--data", standing.data).stdout.splitlines()]
    assert listed[0] == "champion"
    assert [each.split()[0] for each in listed[1:]] == ["force", "rollback"]


class TestReading:
    """Where no store is, what only reads makes none."""

    @pytest.fixture(autouse=True)
    def _no_store(self, mlflow_store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        monkeypatch.chdir(tmp_path / "empty")
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        import mlflow

        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # back to the environment's

    def test_nothing_is_left_behind(self, tmp_path: Path) -> None:
        for arguments in (
            ("model", "list"),
            ("model", "show"),
            ("model", "history"),
            ("model", "feedback"),
            ("model", "rollback"),
            ("model", "promote"),
            ("check", "--model", f"models:/{MODEL}@champion", "hi"),
            ("check", "--model", f"models:/{MODEL}/1", "hi"),
            ("check", "--model", "runs:/0123456789abcdef0123456789abcdef/model", "hi"),
        ):
            CliRunner().invoke(cli.angel, arguments, standalone_mode=False)
            assert list(Path().iterdir()) == [], arguments

    def test_what_is_made_is_for_this_account_alone(self) -> None:
        done("log", "--model", "gpt-x")
        assert {path.name for path in Path().iterdir()} == {"mlflow.db", "mlruns"}
        assert all(path.stat().st_mode & 0o077 == 0 for path in Path().iterdir())


def test_a_database_without_its_driver_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ours for PostgreSQL is psycopg, which SQLAlchemy takes for postgresql:// since 2.1; before, it took psycopg2.
    for driver, package in (("mysql", "MySQLdb"), ("postgresql+psycopg2", "psycopg2"), ("mssql", "pyodbc")):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{driver}://maria:hunter2@127.0.0.1:1/mlflow")
        for command in ("list", "log", "feedback"):
            message = refused(command)
            assert f"needs the Python package {package}" in message
            assert "hunter2" not in message


def test_a_database_that_is_down_is_a_line_and_is_not_asked_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as down:
        asked = Refusing(down)
        for command in ("list", "log", "feedback"):
            asked.times = 0
            for uri in ("postgresql", "postgresql+psycopg"):
                address = f"{uri}://maria:hunter2@127.0.0.1:{down.getsockname()[1]}/{command}"
                monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{address}?sslmode=disable&gssencmode=disable")
                message = refused(command)
                assert "(OperationalError). Check MLFLOW_TRACKING_URI" in message
                assert "hunter2" not in message
            assert 2 <= asked.times <= 8, "left to itself, MLflow asks each ten times"


def test_no_password_of_the_store_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://maria:hunter2@127.0.0.1:1")
    for command in ("list", "log", "feedback", "evaluate"):
        result = model(command)
        assert "hunter2" not in result.output + str(result.exception)


class TestList:
    def test_versions_come_newest_first_with_their_figures(self, standing: Standing) -> None:
        rows = [line.split("\t") for line in done("list", "--data", standing.data).stdout.splitlines()]
        assert [row[:8] for row in rows] == [
            ["version", "aliases", "model", "prompt", "recall", "false alarms", "clean rewrites", "evaluated"],
            ["2", "candidate", "gpt-y", "1", "62.5 %", "33.3 %", "100.0 %", "yes"],
            ["1", "champion", "gpt-x", "1", "100.0 %", "0.0 %", "100.0 %", "yes"],
        ]
        assert [line.split("\t")[7] for line in done("list").stdout.splitlines()[1:]] == ["on other examples"] * 2

    def test_an_empty_store_says_how_to_begin(self) -> None:
        result = done("list")
        assert result.stdout == ""
        assert "angel model log" in result.stderr


@pytest.mark.heavy
@pytest.mark.timeout(300)  # two hundred traces into SQLite, one after the other
def test_the_built_in_examples_take_a_model_through_the_gate(openai_server: FakeOpenAI) -> None:
    openai_server.judge = judge_of_the_examples()
    done("log", "--model", "gpt-x")
    assert "caution recall" in done("evaluate").stdout.casefold()
    assert done("promote").stdout == "Version 1 (gpt-x) is the champion now.\n"
