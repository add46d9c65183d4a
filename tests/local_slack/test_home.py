"""The Home tab of the app, and the events that tell of it."""

import json
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.slack import LocalSlack, NotOffered
from tests.local_slack.conftest import refusal
from tests.local_slack.shapes import JSON, MANIFEST, actions, ask, button, home, menu, modal, section, text_input


async def test_a_home_is_published_when_it_is_opened(slack: LocalSlack, app: AsyncApp) -> None:
    heard: list[JSON] = []

    @app.event("app_home_opened")
    async def opened(event: JSON, body: JSON, client: AsyncWebClient) -> None:
        heard.append(body)
        await client.views_publish(user_id=event["user"], view=home(section(f"Hello, <@{event['user']}>")))

    delivery = await slack.open_home()
    assert delivery
    assert delivery.acked
    shown = await slack.changed(slack.home)
    assert shown
    assert shown["blocks"][0]["text"]["text"] == f"Hello, <@{slack.user}>"
    assert slack.home(slack.other) is None
    await slack.open_home()
    first, second = (body["event"] for body in heard)
    assert (first["tab"], "view" in first, first["channel"][:2]) == ("home", False, "D0")
    assert second["view"]["id"] == shown["id"]
    (authorization,) = heard[0]["authorizations"]
    assert (authorization["team_id"], authorization["is_bot"]) == (slack.team, True)


async def test_what_is_pressed_in_a_home_arrives_with_it(slack: LocalSlack, app: AsyncApp) -> None:
    bodies: list[JSON] = []

    async def listen(ack: Any, body: JSON) -> None:
        bodies.append(body)
        await ack()

    for action_id in ("again", "draft", "menu"):
        app.action(action_id)(listen)
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    view = home(ask(text_input(), dispatch_action=True), actions(button(value="v"), menu("static_select", "a", "b")))
    shown = (await client.views_publish(user_id=slack.user, view=view))["view"]
    slack.fill(shown, {"draft": "Fine."})
    await slack.press(shown, "again")
    await slack.press(shown, "draft", "Fine!")
    await slack.press(shown, "menu", "b")
    assert [body["actions"][0]["type"] for body in bodies] == ["button", "plain_text_input", "static_select"]
    for body in bodies:
        assert body["container"] == {"type": "view", "view_id": shown["id"]}
        assert (body["view"]["type"], "response_url" in body, "channel" in body) == ("home", False, False)
    assert bodies[0]["view"]["state"]["values"]["draft"]["draft"]["value"] == "Fine."
    opened = await client.views_open(trigger_id=bodies[0]["trigger_id"], view=modal())
    assert slack.view() == opened["view"]
    with pytest.raises(NotOffered):
        await slack.submit(shown)


async def test_publishing_again_keeps_the_id_and_what_was_typed(slack: LocalSlack, client: AsyncWebClient) -> None:
    view = home(ask(text_input(), dispatch_action=True))
    first = (await client.views_publish(user_id=slack.user, view=view))["view"]
    slack.fill(first, {"draft": "half"})
    second = (await client.views_publish(user_id=slack.user, view=view, hash=first["hash"]))["view"]
    assert (second["id"], second["state"]["values"]["draft"]["draft"]["value"]) == (first["id"], "half")
    assert second["hash"] != first["hash"]
    late = client.views_publish(user_id=slack.user, view=view, hash=first["hash"])
    assert (await refusal(late))["error"] == "hash_conflict"
    updated = (await client.views_update(view_id=first["id"], view=home(section("new"))))["view"]
    assert updated["type"] == "home"


@pytest.mark.parametrize(
    ("user", "view", "error"),
    [
        ("U0NOBODY", home(), "invalid_arguments"),
        ("second_user", home(), "invalid_arguments"),
        ("bot", home(), "invalid_arguments"),
        ("user", modal(), "invalid_arguments"),
        ("user", home(*[section()] * 101), "invalid_arguments"),
        ("user", home(*[section("x" * 3000)] * 100), "view_too_large"),
    ],
)
async def test_a_home_slack_would_not_show_is_refused(
    slack: LocalSlack, client: AsyncWebClient, user: str, view: JSON, error: str
) -> None:
    call = client.views_publish(user_id=getattr(slack, user, user), view=view)
    assert (await refusal(call))["error"] == error
    assert slack.home() is None


async def test_an_app_without_a_home_has_none() -> None:
    manifest = MANIFEST | {"features": MANIFEST["features"] | {"app_home": {}}}
    async with LocalSlack(manifest=manifest) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        assert (await refusal(client.views_publish(user_id=slack.user, view=home())))["error"] == "not_enabled"
        with pytest.raises(NotOffered):
            await slack.open_home()


async def test_an_app_hears_only_of_events_it_asked_for() -> None:
    async with LocalSlack(manifest=MANIFEST | {"settings": {}}) as slack:
        assert await slack.open_home() is None


async def test_an_event_that_is_not_acked_comes_again(slack: LocalSlack, endpoint: Any) -> None:
    seen, answer = endpoint
    answer["status"] = 500
    delivery = await slack.open_home()
    assert delivery
    assert delivery.error == "http_service_error"
    assert [headers.get("X-Slack-Retry-Num") for headers, _ in seen] == [None, "1"]
    assert {headers["Content-Type"] for headers, _ in seen} == {"application/json"}
    assert json.loads(seen[0][1]) == json.loads(seen[1][1]) == delivery.payload
    assert slack.notices() == []
