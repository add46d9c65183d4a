"""The HTTP front: what Slack has signed gets through, and nothing else gets anything."""

import asyncio
import hashlib
import hmac
import json
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from bot.errors import SettingsError
from bot.local_slack.slack import LocalSlack
from bot.slack.delivery import is_slacks
from bot.slack.http import serve_http
from bot.slack.manifest import manifest
from tests.slack.conftest import FakeScreener, Served, serving

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def elsewhere() -> AsyncIterator[tuple[str, list[str]]]:
    """The address of a host that is not Slack's, and the paths it was asked for."""
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    site = web.Application()
    site.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


@pytest.fixture
async def front() -> AsyncIterator[Served[FakeScreener]]:
    async with serving(FakeScreener(), "http") as served:
        yield served


def signed(slack: LocalSlack, body: bytes, *, at: str | None = None) -> dict[str, str]:
    at = str(int(time.time())) if at is None else at
    code = hmac.new(slack.signing_secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={code}"}


async def post(
    served: Served[FakeScreener], body: bytes, headers: dict[str, str] | None = None, content_type: str = FORM
) -> int:
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{served.url}/slack/events", data=body, headers={"Content-Type": content_type, **(headers or {})}
        ) as response,
    ):
        return response.status


def command(response_url: str) -> bytes:
    return urlencode(
        {
            "command": "/angel",
            "text": "Fine.",
            "user_id": "U1",
            "team_id": "T1",
            "trigger_id": "1.2.3",
            "response_url": response_url,
        }
    ).encode()


# Unsigned


async def test_nothing_unsigned_is_read_or_answered(
    front: Served[FakeScreener], elsewhere: tuple[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url, asked = elsewhere
    body = command(url)
    right = signed(front.slack, body)
    timestamp, signature = right["X-Slack-Request-Timestamp"], right["X-Slack-Signature"]
    headers = {
        "none": {},
        "no timestamp": {"X-Slack-Signature": signature},
        "no signature": {"X-Slack-Request-Timestamp": timestamp},
        "a timestamp that is no number": right | {"X-Slack-Request-Timestamp": "abc"},
        "a negative timestamp": right | {"X-Slack-Request-Timestamp": "-1"},
        "a timestamp in other digits": right | {"X-Slack-Request-Timestamp": "١٧٠٠٠٠٠٠٠٠"},
        "an endless timestamp": right | {"X-Slack-Request-Timestamp": "9" * 5_000},
        "a timestamp with a fraction": right | {"X-Slack-Request-Timestamp": f"{timestamp}.0"},
        "a signature outside ASCII": right | {"X-Slack-Signature": "v0=é" + signature[4:]},
        "a short signature": right | {"X-Slack-Signature": signature[:-1]},
        "a signature in capitals": right | {"X-Slack-Signature": signature.upper()},
        "a signature of another version": right | {"X-Slack-Signature": "v1" + signature[2:]},
        "an empty signature": right | {"X-Slack-Signature": ""},
        "a guessed one": right | {"X-Slack-Signature": "v0=" + "0" * 64},
        "one of another body": signed(front.slack, body + b" "),
        "one of six minutes ago": signed(front.slack, body, at=str(int(time.time()) - 360)),
        "one of six minutes from now": signed(front.slack, body, at=str(int(time.time()) + 360)),
    }
    statuses = {name: await post(front, body, given) for name, given in headers.items()}

    assert statuses == dict.fromkeys(headers, 401)
    assert (front.screener.drafts, asked) == ([], [])
    assert [call.method for call in front.slack.calls if call.method != "auth.test"] == []
    assert "Fine." not in caplog.text
    assert "Traceback" not in caplog.text


NONSENSE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", FORM),
    "no UTF-8": (b"\xff\xfe", FORM),
    "cut JSON": (b"{", "application/json"),
    "a list": (b"[1]", "application/json"),
    "a number": (b"5", "application/json"),
    "null": (b"null", "application/json"),
    "an odd object": (b'{"authorizations":1}', "application/json"),
    "brackets": (b"[" * 100_000, "application/json"),
    "an odd payload": (b"payload=[1]", FORM),
    "a cut payload": (b"payload=%7B", FORM),
    "a payload that is a number": (b"payload=5", FORM),
    "an object of nothing": (b"{}", "application/json"),
    "many fields": (b"a=1&" * 100_000, FORM),
    "a team that is a number": (b'payload={"type":"block_actions","team":1,"user":[],"actions":{}}', FORM),
}


async def test_nonsense_is_refused_in_a_line(front: Served[FakeScreener], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    unsigned = {name: await post(front, body, content_type=kind) for name, (body, kind) in NONSENSE.items()}
    lines = len(caplog.records)
    of_slack = {
        name: await post(front, body, signed(front.slack, body), kind) for name, (body, kind) in NONSENSE.items()
    }

    assert unsigned == dict.fromkeys(NONSENSE, 401)
    assert {name: status for name, status in of_slack.items() if not 400 <= status < 500} == {}
    assert len([record for record in caplog.records[:lines] if "refused=" in record.getMessage()]) == 1
    assert "Traceback" not in caplog.text
    assert all(len(record.getMessage()) < 200 for record in caplog.records if record.name.startswith("bot."))


async def test_a_body_larger_than_slacks_is_refused(front: Served[FakeScreener]) -> None:
    body = b"x" * 1_000_000

    assert await post(front, body, signed(front.slack, body)) == 413


async def test_the_longest_message_gets_through_with_its_shortcut(front: Served[FakeScreener]) -> None:
    # 40,000 characters is where Slack cuts a message; the app says that it is too long, and not Slack that it failed.
    delivery = await front.slack.message_shortcut("check_message", front.slack.post("重" * 40_000))

    assert delivery.acked


GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"A" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n\0\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
)


async def test_what_is_no_http_is_refused_in_a_line(
    front: Served[FakeScreener], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for garbage in GARBAGE:
        async with connected(front) as (reader, writer):
            writer.write(garbage)
            assert b" 400 " in await reader.readline()

    assert "Traceback" not in caplog.text
    assert [line for line in caplog.messages if "not_http" in line] == ["http refused=not_http"]


async def test_a_flood_is_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(FakeScreener(), "http") as served:
        assert {await post(served, b"a=1") for _ in range(100)} == {401}
        await served.end()

    assert [line for line in caplog.messages if "refused=" in line] == [
        "http refused=unsigned",
        "http refused=unsigned count=99 in 10 s",
    ]


# Slow senders, and many of them


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.http.BODY_SECONDS", 0.2)
    monkeypatch.setattr("bot.slack.http.KEEP_ALIVE_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("sent", "trickles"),
    [
        (b"", False),
        (b"POST /slack/events HTTP/1.1\r\nX-Slow: ", False),
        (b"POST /slack/events HTTP/1.1\r\nX-Slow: ", True),
    ],
)
async def test_a_head_that_does_not_come_to_its_end_is_not_waited_for(sent: bytes, trickles: bool) -> None:
    async with serving(FakeScreener(), "http") as served, connected(served) as (reader, writer):
        writer.write(sent)

        assert await _until_closed(reader, writer, trickles) == b""


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("trickles", [False, True])
async def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(trickles: bool) -> None:
    async with serving(FakeScreener(), "http") as served, connected(served) as (reader, writer):
        writer.write(_request(signed(served.slack, b"") | {"Content-Length": "9999"}))

        assert (await _until_closed(reader, writer, trickles)).startswith(b"HTTP/1.1 408")


async def test_an_unsigned_body_is_not_waited_for_at_all(front: Served[FakeScreener]) -> None:
    async with connected(front) as (reader, writer):
        writer.write(_request({"Content-Length": "9999"}))

        assert (await reader.readline()).startswith(b"HTTP/1.1 401")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.http.room", lambda: 8)


@pytest.mark.usefixtures("narrow")
async def test_idle_connections_make_way_for_newcomers(front: Served[FakeScreener]) -> None:
    async with AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(connected(front)) for _ in range(40)]
        delivery = await front.slack.command("/angel", "Fine.")
        async with aiohttp.ClientSession() as client, client.get(f"{front.url}/healthz") as response:
            assert (delivery.acked, response.status) == (True, 200)

        assert {await reader.read() for reader, _ in idle[:32]} == {b""}, "the oldest have gone"


@pytest.mark.usefixtures("narrow")
async def test_slacks_own_connection_is_the_last_to_go(front: Served[FakeScreener]) -> None:
    body = command(front.slack.api_url)
    request = _request(signed(front.slack, body) | {"Content-Length": str(len(body))}) + body
    async with connected(front) as (reader, writer), AsyncExitStack() as stack:
        writer.write(request)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _ in range(20):
            await stack.enter_async_context(connected(front))
        async with aiohttp.ClientSession() as client, client.get(f"{front.url}/healthz") as response:
            assert response.status == 200
        writer.write(request)
        await reader.readuntil(b"HTTP/1.1 200")


# Where answers go


async def test_an_answer_goes_to_slack_alone(
    front: Served[FakeScreener], elsewhere: tuple[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url, asked = elsewhere
    body = command(url)
    assert await post(front, body, signed(front.slack, body)) == 200
    broken = json.dumps(
        {"type": "block_actions", "actions": [{"action_id": "again", "type": "button"}]} | {"response_url": url}
    )
    body = urlencode({"payload": broken}).encode()
    await post(front, body, signed(front.slack, body))
    await front.end()

    assert asked == []
    assert "undeliverable:foreign_response_url" in caplog.text


def test_which_hosts_are_slacks() -> None:
    own = "http://127.0.0.1:8765/api/"
    theirs = {
        "https://hooks.slack.com/commands/T1/2/3",
        "https://slack.com/x",
        "https://hooks.slack-gov.com/actions/1",
        "http://127.0.0.1:8765/actions/1",
    }
    not_theirs = {
        "http://hooks.slack.com/commands/T1/2/3",
        "https://hooks.slack.com.evil.example/",
        "https://evil-slack.com/",
        "https://notslack.com/",
        "https://hooks.slack.com:8443/",
        "https://user@hooks.slack.com/",
        "https://hooks.slack.com@evil.example/",
        "https://evil.example/?hooks.slack.com",
        "https://evil.example#.slack.com",
        "https://evil.example\\.slack.com/",
        "https://evil.example/.slack.com/",
        "https://evil.example\t.slack.com/",
        "https://evil.exampleé.slack.com/",
        "https://evil.example%2f.slack.com/",
        " https://hooks.slack.com/x",
        "https://hooks.slack.com/x\n",
        "HTTPS://HOOKS.SLACK.COM/x",
        "http://127.0.0.1:8765@evil.example/",
        "http://127.0.0.1:87650/",
        "//hooks.slack.com/x",
        "https:hooks.slack.com",
        "http://127.0.0.1:8766/actions/1",
        "https://127.0.0.1:8765/actions/1",
        "http://[::1",
        "file:///etc/passwd",
        "",
    }

    assert {url for url in theirs | not_theirs if is_slacks(url, own)} == theirs
    assert {url for url in theirs | not_theirs if is_slacks(url, "https://slack.com/api/")} == theirs - {
        "http://127.0.0.1:8765/actions/1"
    }


async def test_an_event_that_nobody_handles_is_acked(front: Served[FakeScreener]) -> None:
    event = {"type": "event_callback", "team_id": "T1", "event": {"type": "app_uninstalled"}, "event_id": "E1"}
    body = json.dumps(event).encode()

    assert await post(front, body, signed(front.slack, body), "application/json") == 200


async def test_the_request_url_can_be_verified(front: Served[FakeScreener]) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "x9"}).encode()

    assert await post(front, body, signed(front.slack, body), "application/json") == 200


# Health


async def test_it_is_healthy_and_ready(front: Served[FakeScreener]) -> None:
    async with aiohttp.ClientSession() as client:
        await front.slack.changed(lambda: any(call.method == "auth.test" for call in front.slack.calls))
        async with client.get(f"{front.url}/healthz") as response:
            assert (response.status, await response.json()) == (200, {"up": True})
        async with client.get(f"{front.url}/readyz") as response:
            assert (response.status, await response.json()) == (200, {"model": True, "slack": True})


async def test_it_is_not_ready_as_long_as_slack_has_not_accepted_its_token() -> None:
    slack = LocalSlack(manifest=manifest())
    slack.fail("auth.test", status=503, times=1_000)
    async with serving(FakeScreener(), "http", slack=slack) as served, aiohttp.ClientSession() as client:
        async with client.get(f"{served.url}/healthz") as response:
            assert response.status == 200
        async with client.get(f"{served.url}/readyz") as response:
            assert (response.status, await response.json()) == (503, {"model": True, "slack": False})


async def test_over_http_too_a_token_that_slack_does_not_accept_ends_it() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN"):
            await _serve(slack, bot_token="xoxb-no-more")  # of nobody


async def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with LocalSlack(manifest=manifest()) as slack:
            with pytest.raises(SettingsError, match=f"Port {port} can't be had"):
                await _serve(slack, bot_token=slack.bot_token, port=port)


async def test_there_is_a_place_for_what_a_browser_asks() -> None:
    async def install(_: web.Request) -> web.Response:
        return web.Response(text="Install")

    routes = [web.get("/slack/install", install)]
    async with (
        serving(FakeScreener(), "http", routes=routes) as served,
        aiohttp.ClientSession() as client,
        client.get(f"{served.url}/slack/install") as response,
    ):
        assert await response.text() == "Install"


async def _serve(slack: LocalSlack, **changes: Any) -> None:
    options: dict[str, Any] = {
        "signing_secret": slack.signing_secret,
        "host": "127.0.0.1",
        "port": 0,
        "model_loaded": lambda: True,
        "slack_url": slack.api_url,
    }
    await serve_http(FakeScreener(), asyncio.Event(), **options | changes)


class Reader(asyncio.StreamReader):
    """A reset is the end of what is read, after what came before it: asyncio's own forgets that."""

    def set_exception(self, exc: BaseException | None) -> None:
        self.feed_eof()


@asynccontextmanager
async def connected(served: Served[FakeScreener]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    loop, port = asyncio.get_running_loop(), int(served.url.rsplit(":", 1)[1])
    reader = Reader()
    transport, protocol = await loop.create_connection(lambda: asyncio.StreamReaderProtocol(reader), "127.0.0.1", port)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _request(headers: dict[str, str]) -> bytes:
    lines = ["POST /slack/events HTTP/1.1", "Host: angel", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def _until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trickles: bool) -> bytes:
    """All that is answered until the connection is closed, while a byte is sent now and then."""
    answer = b""
    while not reader.at_eof():
        try:
            answer += await asyncio.wait_for(reader.read(10_000), 0.02)
        except TimeoutError:
            if trickles:
                writer.write(b"x")
    return answer
