"""The HTTP front against whatever may be sent to it: for a bounded time it answers, with nothing worse than a 4xx."""

import asyncio
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.slack.conftest import FakeScreener, serving

pytestmark = pytest.mark.heavy

bounded = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

HEADERS = st.sampled_from(
    [
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: 99999999999",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Encoding: gzip",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Expect: 100-continue",
        b"Content-Type: application/json",
        b"Content-Type: \xff",
        b"Host: \r",
        b": x",
        b"X: " + b"y" * 9_000,
        b"X-Slack-Request-Timestamp: 1",
        b"X-Slack-Request-Timestamp: \xd9\xa1",
        b"X-Slack-Signature: v0=\xe9",
    ]
)
LINES = st.sampled_from(
    [
        b"POST /slack/events HTTP/1.1",
        b"GET /healthz HTTP/1.1",
        b"POST /slack/events HTTP/1.0",
        b"PRI * HTTP/2.0",
        b"GET //// HTTP/1.1",
        b"GET /%00 HTTP/1.1",
        b"POST http://[::1/slack/events HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT x:1 HTTP/1.1",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=200), st.sampled_from([b"5\r\nhello\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n", b"a=1&" * 50])
)

NAMES = st.sampled_from(
    [
        "type",
        "payload",
        "command",
        "text",
        "user",
        "user_id",
        "team",
        "id",
        "actions",
        "action_id",
        "value",
        "view",
        "state",
        "values",
        "private_metadata",
        "callback_id",
        "trigger_id",
        "message",
        "event",
        "authorizations",
        "channel",
        "blocks",
        "token",
        "ssl_check",
    ]
)
WORDS = st.one_of(
    st.sampled_from(
        [
            "/angel",
            "block_actions",
            "view_submission",
            "message_action",
            "shortcut",
            "event_callback",
            "url_verification",
            "composer",
            "check_message",
            "write_with_angel",
            "another_version",
            "edit_draft",
            "use_rewrite",
            "helpful",
            "app_home_opened",
        ]
    ),
    st.text(max_size=20),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=20,
)


class Front:
    """The front, served by a thread of its own."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(60)

    async def _serve(self) -> None:
        async with serving(FakeScreener(), "http") as served:
            self.port, self.secret = int(served.url.rsplit(":", 1)[1]), served.slack.signing_secret
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._stop.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def send(self, data: bytes) -> int | None:
        """The status of what is answered, None where the connection is closed without an answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            try:
                line.sendall(data)
                line.shutdown(socket.SHUT_WR)
                answer = line.recv(65_536)
            except ConnectionError:
                return None
        return int(answer.split(b" ", 2)[1]) if answer else None

    def signed(self, body: bytes, kind: str) -> int | None:
        at = str(int(time.time()))
        code = hmac.new(self.secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        head = (
            f"POST /slack/events HTTP/1.1\r\nHost: angel\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"X-Slack-Request-Timestamp: {at}\r\nX-Slack-Signature: v0={code}\r\nConnection: close\r\n\r\n"
        )
        return self.send(head.encode() + body)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    served = Front()
    yield served
    served.close()


@bounded
@given(line=LINES, headers=st.lists(HEADERS, max_size=5), body=BODIES)
def test_whatever_looks_like_http(
    front: Front, caplog: pytest.LogCaptureFixture, line: bytes, headers: Any, body: bytes
) -> None:
    status = front.send(b"\r\n".join([line, b"Host: angel", *headers, b"", body]))

    assert status is None or status in (100, 200) or 400 <= status < 500
    _still_well(front, caplog)


@bounded
@given(data=st.binary(max_size=2_000))
def test_whatever_bytes(front: Front, caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    status = front.send(data)

    assert status is None or 400 <= status < 500
    _still_well(front, caplog)


@bounded
@given(value=JSON, way=st.sampled_from(["json", "payload", "form"]))
def test_whatever_is_signed(front: Front, caplog: pytest.LogCaptureFixture, value: Any, way: str) -> None:
    form = "application/x-www-form-urlencoded"
    if way == "json":
        front_status = front.signed(json.dumps(value).encode(), "application/json")
    elif way == "payload":
        front_status = front.signed(urlencode({"payload": json.dumps(value)}).encode(), form)
    else:
        fields = value if isinstance(value, dict) else {"text": value}
        front_status = front.signed(urlencode({name: str(each) for name, each in fields.items()}).encode(), form)

    assert front_status is not None
    assert front_status == 200 or 400 <= front_status < 500
    _still_well(front, caplog)


def _still_well(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    assert "Traceback" not in caplog.text
    assert front.send(b"GET /healthz HTTP/1.1\r\nHost: angel\r\nConnection: close\r\n\r\n") == 200
