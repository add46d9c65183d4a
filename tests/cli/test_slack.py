"""`angel serve`, `angel doctor` and `angel manifest`, as processes of their own in front of the local Slack."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web

from bot.local_slack.slack import LocalSlack
from bot.slack.manifest import manifest
from bot.verdict import CAUTION_SENTENCE
from tests.cli.conftest import Main
from tests.fakes import FakeOpenAI
from tests.processes import HANG, ROOT


@asynccontextmanager
async def angel(*arguments: str, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m bot` with these arguments, ended when it is done with."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def tokens(slack: LocalSlack, cache_dir: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "ANGEL_CACHE_DIR": str(cache_dir),
    }


async def said(process: asyncio.subprocess.Process, words: str) -> str:
    """The line with these words in it, as soon as it is logged."""
    assert process.stdout
    async for line in process.stdout:
        if words in line.decode():
            return line.decode()
    raise AssertionError(f"it ended without saying {words}")


async def test_serve_answers_over_socket_mode_until_it_is_told_to_end(cache_dir: Path) -> None:
    async with LocalSlack(manifest=manifest()) as slack, angel("serve", **tokens(slack, cache_dir)) as process:
        await slack.changed(lambda: slack.connections, timeout=HANG)
        await slack.command("/angel", "As per my last email, you idiot.")
        (answer,) = await slack.changed(lambda: slack.ephemerals())
        assert CAUTION_SENTENCE in answer["text"]
        process.send_signal(signal.SIGTERM)
        out, _ = await process.communicate()
        assert process.returncode == 0
        assert b"kind=command outcome=caution" in out
        assert b"email" not in out


async def test_serve_answers_over_http_and_tells_its_health(cache_dir: Path) -> None:
    async with (
        LocalSlack(manifest=manifest()) as slack,
        angel("serve", "--http", "--port", "0", "--host", "127.0.0.1", **tokens(slack, cache_dir)) as process,
        aiohttp.ClientSession() as client,
    ):
        port = (await said(process, "listening on port")).split()[-1]
        slack.request_url = f"http://127.0.0.1:{port}/slack/events"
        await slack.command("/angel", "You idiot.")
        (answer,) = await slack.changed(lambda: slack.ephemerals())
        assert CAUTION_SENTENCE in answer["text"]
        async with client.get(f"http://127.0.0.1:{port}/healthz") as health:
            assert health.status == 200
        async with client.get(f"http://127.0.0.1:{port}/readyz") as ready:
            assert (ready.status, await ready.json()) == (200, {"model": True, "slack": True})


async def test_serve_without_its_model_answers_offline_and_is_not_ready(cache_dir: Path, unused_tcp_port: int) -> None:
    environ = {
        "ANGEL_MODEL_URI": "models:/text-message-angel@champion",
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{unused_tcp_port}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    async with (
        LocalSlack(manifest=manifest()) as slack,
        angel("serve", "--http", "--port", "0", "--host", "127.0.0.1", **tokens(slack, cache_dir) | environ) as process,
        aiohttp.ClientSession() as client,
    ):
        port = (await said(process, "listening on port")).split()[-1]
        slack.request_url = f"http://127.0.0.1:{port}/slack/events"
        async with client.get(f"http://127.0.0.1:{port}/readyz") as ready:
            assert (ready.status, (await ready.json())["model"]) == (503, False)
        await slack.command("/angel", "You idiot.")
        (answer,) = await slack.changed(lambda: slack.ephemerals())
        assert CAUTION_SENTENCE in answer["text"]


@asynccontextmanager
async def mlflow_that_hangs(after: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """An MLflow server's address, and whether it was asked for what it never answers: all, or all but experiments."""
    hanging, over = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if after == "experiments" and request.path.endswith("/experiments/get-by-name"):
            experiment = {"experiment_id": "1", "name": "Text Message Angel", "lifecycle_stage": "active"}
            return web.json_response({"experiment": experiment})
        hanging.set()
        await over.wait()
        return web.Response(status=503)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", hanging
    finally:
        over.set()
        await runner.cleanup()


@pytest.mark.heavy
@pytest.mark.parametrize("after", ["nothing", "experiments"])
async def test_an_mlflow_server_that_hangs_is_felt_neither_in_slack_nor_at_the_end(cache_dir: Path, after: str) -> None:
    async with mlflow_that_hangs(after) as (address, hanging), LocalSlack(manifest=manifest()) as slack:
        environ = tokens(slack, cache_dir) | {"MLFLOW_TRACKING_URI": address, "ANGEL_TRACE_TEXT": "on"}
        async with angel("serve", **environ) as process:
            await slack.changed(lambda: slack.connections, timeout=HANG)
            delivery = await slack.command("/angel", "As per my last email, you idiot.")
            (answer,) = await slack.changed(lambda: slack.ephemerals())
            assert delivery.acked
            assert CAUTION_SENTENCE in answer["text"]
            await slack.press(answer, "helpful")
            await slack.changed(lambda: "May I keep this draft" in slack.ephemerals()[-1]["text"])
            await hanging.wait()
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(6):
                out, _ = await process.communicate()
        assert process.returncode == 0
        assert b"INFO bot.slack.process: ended" in out, "what was logged last is written"
        assert b"kind=vote outcome=up" in out
        assert b"email" not in out


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["serve"], ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
        (["serve", "--http"], ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]),
    ],
)
def test_serve_names_every_missing_token_at_once(main: Main, arguments: list[str], missing: list[str]) -> None:
    code, out, err = main(*arguments)
    assert (code, out) == (2, b"")
    lines = err.decode().splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == missing
    assert all("your app >" in line for line in lines[1:])


async def test_doctor_finds_nothing_wrong_where_nothing_is(
    main: Main, cache_dir: Path, openai_server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        for name, value in tokens(slack, cache_dir).items():
            monkeypatch.setenv(name, value)
        code, out, err = await asyncio.to_thread(main, "doctor")
    assert (code, err) == (0, b"")
    said_of = [line.split(":")[0] for line in out.decode().splitlines()]
    assert said_of == [
        f"✓ {name}" for name in ("Settings", "Bot token", "Scopes", "App token", "Signing secret", "Model", "MLflow")
    ]
    assert "answered “Good to Go!”" in out.decode()


async def test_doctor_doubts_a_set_up_in_which_only_the_offline_check_answers(
    main: Main, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        for name, value in tokens(slack, cache_dir).items():
            monkeypatch.setenv(name, value)
        code, out, _ = await asyncio.to_thread(main, "doctor")
    lines = out.decode().splitlines()
    assert code == 0, "it works"
    (model,) = [number for number, line in enumerate(lines) if line.startswith("! Model: ")]
    assert "only the offline check" in lines[model]
    assert "OPENAI_API_KEY" in lines[model + 1]


def test_doctor_tells_who_has_no_app_yet_how_to_make_one(main: Main, cache_dir: Path) -> None:
    code, out, _ = main("doctor")
    assert code == 1
    assert "angel manifest" in out.decode()


async def test_doctor_says_what_to_do_about_each_thing_that_is_wrong(
    main: Main,
    cache_dir: Path,
    openai_server: FakeOpenAI,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    openai_server.key = "another"
    async with LocalSlack(manifest=manifest(), scopes=["chat:write"]) as slack:
        wrong = tokens(slack, cache_dir) | {
            "SLACK_APP_TOKEN": "xapp-wrong",
            "SLACK_SIGNING_SECRET": "xoxb-pasted-in-the-wrong-place",
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{unused_tcp_port}",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        }
        for name, value in wrong.items():
            monkeypatch.setenv(name, value)
        code, out, err = await asyncio.to_thread(main, "doctor")
    lines = out.decode().splitlines()
    assert (code, err) == (1, b"")
    failed = [line.split(":")[0] for line in lines if line.startswith("✗")]
    assert failed == ["✗ Scopes", "✗ App token", "✗ Signing secret", "✗ Model", "✗ MLflow"]
    assert "lacking commands" in out.decode()
    assert "OPENAI_API_KEY" in out.decode()
    assert "xoxb-pasted" not in out.decode()


def test_doctor_names_a_setting_that_cannot_be_used(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANGEL_DEADLINE", "soon")
    code, out, _ = main("doctor")
    assert code == 1
    assert "ANGEL_DEADLINE" in out.decode()


def test_manifest_is_printed_for_socket_mode_and_for_http(main: Main) -> None:
    assert yaml.safe_load(main("manifest").out) == manifest()
    variant = yaml.safe_load(main("manifest", "--url", "https://angel.example.org").out)
    assert variant["settings"]["socket_mode_enabled"] is False
    assert variant["settings"]["interactivity"]["request_url"] == "https://angel.example.org/slack/events"
    wrong = main("manifest", "--url", "http://angel.example.org")
    assert (wrong.code, b"https://" in wrong.err) == (2, True)
    linked = main("manifest", "--link", "--url", "https://angel.example.org").out.decode()
    assert linked.startswith("https://api.slack.com/apps?new_app=1&manifest_json=")
    assert "angel.example.org" in linked


def test_app_json_and_procfile_start_what_there_is() -> None:
    assert {line.split(": ")[1] for line in (ROOT / "Procfile").read_text().splitlines()} == {
        "python -m bot serve",
        "python -m bot serve --http",
    }
    assert json.loads((ROOT / "app.json").read_text())["formation"]["worker"]["quantity"] == 1
