"""The page's server, over HTTP: who is let in, and what never gets out."""

import asyncio
import gc
import json
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.errors import ModelMisconfigured
from bot.local_slack.slack import LocalSlack
from bot.playground.page import STATIC, TYPES
from bot.playground.play import NoPort, play
from tests.slack.conftest import FakeScreener

JSON = dict[str, Any]


@dataclass
class Site:
    slack: LocalSlack
    session: aiohttp.ClientSession
    origin: str

    async def do(self, doing: JSON | bytes, **headers: str) -> aiohttp.ClientResponse:
        body = doing if isinstance(doing, bytes) else json.dumps(doing).encode()
        headers = {"Origin": self.origin, "Content-Type": "application/json", **headers}
        return await self.session.post(self.at("/page/do"), data=body, headers=headers)

    def at(self, path: str) -> str:
        """Below the run's part of the address."""
        return f"{self.slack.pages}{path}"

    async def stream(self) -> AsyncIterator[JSON]:
        async with self.session.get(self.at("/page/events")) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


@pytest.fixture
def screener() -> FakeScreener:
    return FakeScreener()


@pytest.fixture
async def site(screener: FakeScreener) -> AsyncIterator[Site]:
    stop = asyncio.Event()
    opened: asyncio.Future[LocalSlack] = asyncio.get_running_loop().create_future()
    playing = asyncio.ensure_future(
        play(lambda: (screener, "a-model"), stop, drafts=["Well done, genius."], opened=opened.set_result)
    )
    slack = await opened
    async with aiohttp.ClientSession(slack.url) as session:
        yield Site(slack, session, slack.url)
    stop.set()
    await playing


PAGES = ("/", "/static/main.js", "/page/model", "/page/events")
SLACKS = ("/api/auth.test", "/link", "/oauth/v2/authorize")


def paths(site: Site) -> list[str]:
    return [*map(site.at, PAGES), *SLACKS]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example"]
)
async def test_another_host_name_is_refused_everywhere(site: Site, host: str) -> None:
    port = site.origin.rpartition(":")[2]
    for path in paths(site):
        async with site.session.get(path, headers={"Host": host.format(port=port)}) as response:
            assert response.status == 403


async def test_who_does_not_know_the_address_of_the_run_reads_and_does_nothing(site: Site) -> None:
    doing = json.dumps({"do": "post", "channel": site.slack.channel, "text": "hi"})
    before = site.slack.messages()
    for guess in ("", "/x", f"/{'A' * len(site.slack.run)}", f"/{site.slack.run[:-1]}", f"/{site.slack.run.lower()}"):
        for path in PAGES:
            async with site.session.get(f"{guess}{path}") as response:
                assert response.status == 404
        headers = {"Origin": site.origin, "Content-Type": "application/json"}
        async with site.session.post(f"{guess}/page/do", data=doing, headers=headers) as response:
            assert response.status == 404
    # What Slack itself has there wants tokens and tickets of its own.
    for path in SLACKS:
        async with site.session.get(path) as response:
            refused = response.status == 403 or (await response.json())["error"] == "not_authed"
            assert refused
    assert site.slack.messages() == before
    assert len(site.slack.run) >= 32


async def test_a_run_says_its_address_to_nobody_who_asks_slack(site: Site) -> None:
    await site.do({"do": "command", "channel": site.slack.channel, "command": "/angel", "text": "Fine."})
    stream = site.stream()
    told = json.dumps(await anext(stream)) + str(site.slack.calls)
    assert site.slack.run not in told
    assert site.slack.run not in site.slack.authorize_url
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
async def test_another_origin_is_refused_everywhere(site: Site, origin: str) -> None:
    headers = {"Origin": origin.format(port=site.origin.rpartition(":")[2])}
    for path in paths(site):
        async with site.session.get(path, headers=headers) as response:
            assert response.status == 403
    before = site.slack.messages()
    async with await site.do({"do": "post", "channel": site.slack.channel, "text": "hi"}, **headers) as response:
        assert response.status == 403
    assert site.slack.messages() == before


async def test_the_page_goes_by_localhost_too(site: Site) -> None:
    host = f"localhost:{site.origin.rpartition(':')[2]}"
    async with site.session.get(site.at("/"), headers={"Host": host}) as response:
        assert response.status == 200


async def test_only_json_with_an_origin_changes_anything(site: Site) -> None:
    doing = json.dumps({"do": "post", "channel": site.slack.channel, "text": "hi"})
    before = site.slack.messages()
    for headers, status in (
        ({"Content-Type": "application/json"}, 403),
        ({"Origin": site.origin, "Content-Type": "text/plain"}, 415),
        ({"Origin": site.origin, "Content-Type": "application/x-www-form-urlencoded"}, 415),
    ):
        async with site.session.post(site.at("/page/do"), data=doing, headers=headers) as response:
            assert response.status == status
    async with site.session.get(site.at("/page/do")) as response:
        assert response.status == 405
    assert site.slack.messages() == before


@pytest.mark.parametrize(
    ("doing", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        ({"do": "post", "channel": "C0LOCALTEAM"}, 400),
        ({"do": "post", "channel": "C0LOCALTEAM", "text": ""}, 400),
        ({"do": "post", "channel": "C0LOCALTEAM", "text": "hi", "user": "U0LOCALMARIA"}, 400),
        ({"do": "fail", "what": "views.open"}, 400),
        ({"do": "post", "channel": "C0NOWHERE", "text": "hi"}, 409),
        ({"do": "command", "channel": "C0LOCALTEAM", "command": "/other", "text": ""}, 409),
        ({"do": "global_shortcut", "callback_id": "other"}, 409),
        ({"do": "message_shortcut", "callback_id": "check_message", "channel": "C0LOCALTEAM", "ts": "1.0"}, 409),
        ({"do": "press", "action_id": "x", "channel": "C0LOCALTEAM", "ts": "1.0"}, 409),
        ({"do": "press", "action_id": "x"}, 409),
        ({"do": "submit", "view": "V0"}, 409),
        ({"do": "open_home", "by": "U0SECONDNIA"}, 409),
        ({"do": "global_shortcut", "callback_id": "write_with_angel", "by": "U0LOCALMARIA"}, 409),
        ({"do": "global_shortcut", "callback_id": "write_with_angel", "by": "U0SECONDNIA"}, 409),
        ({"do": "post", "channel": "C0SECONDTEAM", "text": "hi"}, 409),
        ({"do": "post", "channel": "C0LOCALELSEWHERE", "text": "hi"}, 409),
        ({"do": "close", "view": "V0"}, 409),
    ],
)
async def test_what_a_person_could_not_do_is_refused(site: Site, doing: JSON | bytes, status: int) -> None:
    async with await site.do(doing) as response:
        assert response.status == status
        assert (await response.text()) != ""


async def test_the_page_may_load_nothing_from_anywhere_else(site: Site) -> None:
    async with site.session.get(site.at("/")) as response:
        policy = response.headers["Content-Security-Policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("require-trusted-types-for") == "'script'"  # no text is ever made HTML
    assert set(rules.values()) <= {"'self'", "'none'"}


async def test_every_file_of_the_page_is_served_as_what_it_is(site: Site) -> None:
    for path in STATIC.iterdir():
        async with site.session.get(site.at(f"/static/{path.name}")) as response:
            assert (response.status, response.content_type) == (200, TYPES[path.suffix])
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert await response.text() == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["..%2fpage.py", "%2e%2e/page.py", "nothing.js", "..%5cpage.py"])
async def test_no_other_file_is_served(site: Site, name: str) -> None:
    async with site.session.get(site.at(f"/static/{name}")) as response:
        assert response.status == 404


async def test_the_stream_begins_with_all_there_is_and_goes_on_with_what_happens(site: Site) -> None:
    stream = site.stream()
    snapshot = await anext(stream)
    assert (snapshot["type"], snapshot["drafts"]) == ("snapshot", ["Well done, genius."])
    site.slack.post("half an emoji \ud83d and a\nnew line")
    event = await anext(stream)
    assert (event["type"], event["id"]) == ("message", snapshot["last"] + 1)
    assert event["message"]["text"].endswith("and a\nnew line")
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_who_comes_later_still_sees_what_went_each_way(site: Site) -> None:
    await site.do({"do": "command", "channel": site.slack.channel, "command": "/angel", "text": "Fine."})
    await site.slack.changed(site.slack.ephemerals)
    stream = site.stream()
    snapshot = await anext(stream)
    kinds = [(event["type"], event.get("method") or event.get("kind")) for event in snapshot["events"]]
    assert {("delivery", "slash_commands"), ("ack", "slash_commands"), ("api", "response_url")} <= set(kinds)
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_page_that_is_gone_is_noticed_by_a_heartbeat_and_leaves_nothing_behind(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.playground.page.HEARTBEAT_SECONDS", 0.001)
    beats, gone = asyncio.Event(), asyncio.Event()
    write = web.StreamResponse.write

    async def watched(stream: web.StreamResponse, data: bytes) -> None:
        try:
            await write(stream, data)
        except ConnectionError:
            gone.set()
            raise
        if b"still here" in data:
            beats.set()

    monkeypatch.setattr(web.StreamResponse, "write", watched)
    async with site.session.get(site.at("/page/events")):
        await beats.wait()
    await gone.wait()
    gc.collect()  # a task that is still waiting would be told of now
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


async def test_no_secret_reaches_the_page(site: Site) -> None:
    await site.do({"do": "command", "channel": site.slack.channel, "command": "/angel", "text": ""})
    view = await site.slack.changed(site.slack.view)
    assert view is not None
    values = {"draft": "Fine.", "tone": "warm", "context": None}
    await site.do({"do": "submit", "view": view["id"], "values": values})
    await site.slack.changed(lambda: "rewrite" in json.dumps(site.slack.view()))
    stream = site.stream()
    told = json.dumps(await anext(stream))
    assert "apps.connections.open" in told  # whose answer has the ticket in it
    opened = next(call for call in site.slack.calls if call.method == "apps.connections.open")
    ticket = opened.response["url"].partition("ticket=")[2].partition("&")[0]
    assert "xoxb-" not in told
    for secret in (site.slack.app_token, site.slack.signing_secret, site.slack.client_secret, ticket):
        assert len(secret) > 10
        assert secret not in told
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_the_first_checks_wait_for_a_model_that_is_still_being_loaded(screener: FakeScreener) -> None:
    loaded, stop = threading.Event(), asyncio.Event()
    opened: asyncio.Future[LocalSlack] = asyncio.get_running_loop().create_future()

    def load() -> tuple[FakeScreener, str]:
        loaded.wait(20)
        return screener, "a-model"

    playing = asyncio.ensure_future(play(load, stop, opened=opened.set_result))
    slack = await opened
    assert (await slack.command("/angel", "Fine.")).acked
    assert screener.drafts == []
    async with aiohttp.ClientSession(slack.url) as session:
        asking = asyncio.ensure_future(session.get(f"{slack.pages}/page/model"))
        loaded.set()
        async with await asking as response:
            assert await response.json() == {"answering": "a-model"}
    await slack.changed(slack.ephemerals)
    stop.set()
    await playing


async def test_a_model_that_can_not_be_loaded_ends_the_playground_with_the_reason() -> None:
    def load() -> tuple[FakeScreener, str]:
        raise ModelMisconfigured("Check the URI.")

    with pytest.raises(ModelMisconfigured, match="Check the URI"):
        await play(load, asyncio.Event())


async def test_it_ends_without_waiting_for_pages_or_for_the_model(screener: FakeScreener) -> None:
    never, stop = threading.Event(), asyncio.Event()
    opened: asyncio.Future[LocalSlack] = asyncio.get_running_loop().create_future()
    playing = asyncio.ensure_future(play(lambda: (screener, str(never.wait(30))), stop, opened=opened.set_result))
    slack = await opened
    async with aiohttp.ClientSession(slack.url) as session, session.get(f"{slack.pages}/page/events") as response:
        await response.content.readline()
        stop.set()
        await playing
        assert b"snapshot" in await response.content.read()
    never.set()


async def test_the_first_free_of_its_ports_is_taken(screener: FakeScreener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        other.close()
        stop = asyncio.Event()
        opened: asyncio.Future[LocalSlack] = asyncio.get_running_loop().create_future()
        ports = (taken.getsockname()[1], free)
        playing = asyncio.ensure_future(
            play(lambda: (screener, "a-model"), stop, ports=ports, opened=opened.set_result)
        )
        assert (await opened).url == f"http://127.0.0.1:{free}"
        stop.set()
        await playing
        with pytest.raises(NoPort, match="are all taken"):
            await play(lambda: (screener, "a-model"), stop, ports=(ports[0], ports[0]))
