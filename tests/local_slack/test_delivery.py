import asyncio
import json
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.slack import LocalSlack
from tests.local_slack.shapes import JSON


async def ack_at_once(ack: Any) -> None:
    await ack()


# HTTP


async def test_a_wrong_or_stale_signature_is_the_apps_to_refuse(slack: LocalSlack, over_http: AsyncApp) -> None:
    over_http.command("/angel")(ack_at_once)
    delivery = await slack.command("/angel")
    assert (delivery.acked, delivery.status, delivery.via) == (True, 200, "http")
    for wrong in ({"secret": "of-somebody-else"}, {"timestamp": 1_000_000_000.0}):
        refused = await slack.redeliver(delivery, **wrong)
        assert (refused.acked, refused.status, refused.error) == (False, 401, "http_client_error")


async def test_requests_are_forms_signed_over_the_raw_body(slack: LocalSlack, endpoint: Any) -> None:
    seen, _ = endpoint
    await slack.command("/angel", "a b&c")
    await slack.global_shortcut("compose")
    verifier = SignatureVerifier(slack.signing_secret)
    for headers, body in seen:
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert verifier.is_valid_request(body, dict(headers))
        assert not verifier.is_valid_request(body + " ", dict(headers))
    assert "text=a+b%26amp%3Bc" in seen[0][1]
    assert seen[1][1].startswith("payload=%7B")


async def test_a_second_delivery_says_that_it_is_one(slack: LocalSlack, endpoint: Any) -> None:
    seen, _ = endpoint
    await slack.redeliver(await slack.command("/angel"))
    assert [headers.get("X-Slack-Retry-Num") for headers, _ in seen] == [None, "1"]
    assert seen[0][1] == seen[1][1]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 500}, "http_service_error"),
        ({"status": 404}, "http_client_error"),
        ({"status": 302, "headers": {"Location": "/"}}, "http_client_error"),
        ({"text": "{", "content_type": "application/json"}, "invalid_command_response"),
        ({"text": "[1]", "content_type": "application/json"}, "invalid_command_response"),
    ],
)
async def test_what_is_no_ack_is_told_to_the_person(slack: LocalSlack, endpoint: Any, answer: JSON, error: str) -> None:
    endpoint[1].clear()
    endpoint[1].update(answer)
    delivery = await slack.command("/angel")
    assert delivery.error == error
    assert [notice["error"] for notice in slack.notices()] == [error]


async def test_an_app_that_is_not_there_is_told_to_the_person(slack: LocalSlack, unused_tcp_port: int) -> None:
    slack.request_url = f"http://127.0.0.1:{unused_tcp_port}/"
    assert (await slack.command("/angel")).error == "dispatch_unknown_error"


# Socket Mode, as frames


async def url(slack: LocalSlack) -> str:
    client = AsyncWebClient(base_url=slack.api_url)
    return str((await client.apps_connections_open(app_token=slack.app_token))["url"])


async def test_a_connection_begins_with_hello_and_carries_envelopes(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(await url(slack)) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        command = asyncio.create_task(slack.command("/angel", "hi"))
        envelope = await socket.receive_json()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
        assert envelope["payload"]["text"] == "hi"
        await socket.send_json({"envelope_id": "of-something-else"})
        await socket.send_str("not json")
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "hello"}})
        delivery = await command
        assert (delivery.acked, delivery.via, delivery.answer) == (True, "socket_mode", {"text": "hello"})
        shortcut = asyncio.create_task(slack.global_shortcut("compose"))
        envelope = await socket.receive_json()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "ignored"}})
        assert (await shortcut).answer is None


async def test_a_ping_is_answered(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(await url(slack), autoping=False) as socket:
        await socket.receive_json()
        await socket.ping(b"are you there")
        pong = await socket.receive()
        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"are you there")


async def test_a_ticket_lets_one_connection_in(slack: LocalSlack) -> None:
    once = await url(slack)
    async with aiohttp.ClientSession() as session, session.ws_connect(once):
        for refused in (once, f"{slack.url}/link", f"{slack.url}/link?ticket=made-up"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(refused)
            assert caught.value.status == 403


async def test_ten_connections_share_the_payloads_and_an_eleventh_is_sent_away(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await url(slack)) for _ in range(10)]
        counts = [(await socket.receive_json())["num_connections"] for socket in sockets]
        assert counts == list(range(1, 11))
        eleventh = await session.ws_connect(await url(slack))
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"

        async def ack_one(socket: aiohttp.ClientWebSocketResponse) -> None:
            envelope = await socket.receive_json()
            await socket.send_json({"envelope_id": envelope["envelope_id"]})

        acking = asyncio.gather(*map(ack_one, sockets))
        deliveries = await asyncio.gather(*(slack.command("/angel") for _ in range(10)))
        await acking
        assert all(delivery.acked for delivery in deliveries)
        await asyncio.gather(eleventh.close(), *(socket.close() for socket in sockets))


async def test_an_ack_may_come_on_another_connection(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(await url(slack)) as old:
        await old.receive_json()
        command = asyncio.create_task(slack.command("/angel"))
        envelope = await old.receive_json()
        async with session.ws_connect(await url(slack)) as new:
            await new.send_json({"envelope_id": envelope["envelope_id"]})
            assert (await command).acked


async def test_a_connection_told_to_go_still_gets_payloads(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(await url(slack)) as old:
        await old.receive_json()
        await slack.disconnect("warning")
        assert json.loads((await old.receive()).data)["reason"] == "warning"
        async with session.ws_connect(await url(slack)) as new:
            await new.receive_json()
            commands = [asyncio.create_task(slack.command("/angel")) for _ in range(2)]
            for socket in (old, new):
                await socket.send_json({"envelope_id": (await socket.receive_json())["envelope_id"]})
            assert all([(await command).acked for command in commands])


async def test_a_line_can_close_with_an_ack_unsent(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(await url(slack)) as socket:
        await socket.receive_json()
        command = asyncio.create_task(slack.command("/angel"))
        await socket.receive_json()
        await slack.disconnect("refresh_requested", acks=False)
        assert json.loads((await socket.receive()).data)["reason"] == "refresh_requested"
        assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE
        slack.clock.advance(3.1)
        assert (await command).error == "operation_timeout"


async def test_the_next_connections_can_be_made_to_fail(slack: LocalSlack) -> None:
    slack.fail("link", status=503)
    slack.fail("link", drop=True, times=2)  # the client tries once again by itself
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(await url(slack))
        assert caught.value.status == 503
        with pytest.raises(aiohttp.ClientError):
            await session.ws_connect(await url(slack))
        async with session.ws_connect(await url(slack)) as socket:
            assert (await socket.receive_json())["type"] == "hello"


async def test_without_a_connection_nothing_is_dispatched(slack: LocalSlack) -> None:
    assert (await slack.command("/angel")).error == "dispatch_failed"


# Socket Mode, with the SDK's own client


def connects(slack: LocalSlack) -> int:
    return sum(call.method == "apps.connections.open" for call in slack.calls)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_the_real_client_comes_back_when_told_to_go(
    slack: LocalSlack, over_socket: AsyncApp, reason: str
) -> None:
    over_socket.command("/angel")(ack_at_once)
    before = connects(slack)
    await slack.disconnect(reason)
    await slack.changed(lambda: connects(slack) > before and slack.connections)
    assert (await slack.command("/angel")).acked


@pytest.mark.parametrize("ping_interval", [1])  # how soon the client looks at a line that was cut
async def test_the_real_client_comes_back_when_the_line_is_cut(slack: LocalSlack, over_socket: AsyncApp) -> None:
    over_socket.command("/angel")(ack_at_once)
    slack.drop_connections()
    assert not slack.connections
    await slack.changed(lambda: slack.connections)
    assert (await slack.command("/angel")).acked


async def test_each_payload_goes_to_any_one_of_several_workers(slack: LocalSlack, over_socket: AsyncApp) -> None:
    heard: list[str] = []

    def listening(name: str) -> Any:
        async def listener(ack: Any) -> None:
            heard.append(name)
            await ack()

        return listener

    over_socket.command("/angel")(listening("one"))
    second = AsyncApp(
        client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url), signing_secret=slack.signing_secret
    )
    second.command("/angel")(listening("two"))
    handler = AsyncSocketModeHandler(second, slack.app_token, web_client=AsyncWebClient(base_url=slack.api_url))
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's has no types
    await slack.changed(lambda: slack.connections == 2)
    deliveries = await asyncio.gather(*(slack.command("/angel") for _ in range(10)))
    await handler.close_async()  # type: ignore[no-untyped-call]  # the same
    assert all(delivery.acked for delivery in deliveries)
    assert sorted(heard) == ["one"] * 5 + ["two"] * 5
