"""The manifest and the app fit each other."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from bot.errors import SettingsError
from bot.local_slack.slack import LocalSlack
from bot.slack.listeners import LISTENERS
from bot.slack.manifest import EVENTS, MANIFEST, bot_scopes, http_manifest, manifest, new_app_link
from tests.slack.conftest import FakeScreener, serving


async def test_every_command_and_shortcut_of_the_manifest_has_its_listener(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack, features = served.slack, manifest()["features"]
        deliveries = [await slack.command(each["command"], "Fine.") for each in features["slash_commands"]]
        for each in features["shortcuts"]:
            if each["type"] == "message":
                deliveries.append(await slack.message_shortcut(each["callback_id"], slack.post("Fine.")))
            else:
                deliveries.append(await slack.global_shortcut(each["callback_id"]))

        assert len(deliveries) == 3
        assert all(delivery.acked for delivery in deliveries)


async def test_what_has_no_listener_is_not_acked() -> None:
    more = manifest()
    more["features"]["slash_commands"].append({"command": "/devil", "description": "No", "should_escape": True})
    async with serving(FakeScreener(), "http", slack=LocalSlack(manifest=more)) as served:
        delivery = await served.slack.command("/devil", "Fine.")

        assert not delivery.acked


def test_every_listener_is_in_the_manifest_of_some_variant() -> None:
    features = yaml.safe_load(http_manifest("https://angel.example.org", send=True))["features"]

    def named(kind: str) -> list[str]:
        return [name for each, name in LISTENERS if each == kind]

    assert named("slash_commands") == [each["command"] for each in features["slash_commands"]]
    for kind, shortcut in (("message_action", "message"), ("shortcut", "global")):
        assert sorted(named(kind)) == sorted(
            each["callback_id"] for each in features["shortcuts"] if each["type"] == shortcut
        )
    assert sorted(named("event")) == sorted(EVENTS)


def test_it_asks_for_the_least_scopes() -> None:
    assert bot_scopes() == {"commands"}


def test_every_command_has_a_usage_hint_and_gets_mentions_as_mentions() -> None:
    for command in manifest()["features"]["slash_commands"]:
        assert command["usage_hint"]
        assert command["should_escape"] is True


def test_it_keeps_to_slacks_sizes() -> None:
    def lengths(value: Any) -> dict[str, int]:
        return {key: len(text) for key, text in value.items() if isinstance(text, str)}

    about, features = manifest()["display_information"], manifest()["features"]
    assert lengths(about)["name"] <= 35
    assert lengths(about)["description"] <= 140
    assert 175 <= lengths(about)["long_description"] <= 4000
    assert all(lengths(each)["name"] <= 24 and lengths(each)["description"] <= 150 for each in features["shortcuts"])


@pytest.mark.parametrize(
    "url",
    [
        "https://angel.example.org",
        "https://angel.example.org/",
        "https://angel.example.org/slack/events",
        " https://angel.example.org ",
    ],
)
def test_the_http_variant_sends_everything_to_the_url(url: str) -> None:
    variant = yaml.safe_load(http_manifest(url))

    assert variant["features"]["slash_commands"][0]["url"] == "https://angel.example.org/slack/events"
    assert variant["settings"]["interactivity"]["request_url"] == "https://angel.example.org/slack/events"
    assert variant["settings"]["socket_mode_enabled"] is False
    assert variant["settings"]["event_subscriptions"] == {
        "bot_events": list(EVENTS),
        "request_url": "https://angel.example.org/slack/events",
    }
    assert variant["oauth_config"]["redirect_urls"] == ["https://angel.example.org/slack/oauth_redirect"]
    assert variant["oauth_config"]["scopes"] == manifest()["oauth_config"]["scopes"]
    assert variant["features"]["app_home"]["home_tab_enabled"]


def test_only_who_lets_people_send_asks_for_their_scope() -> None:
    plain, sends = (yaml.safe_load(http_manifest("https://a.example", send=send)) for send in (False, True))
    assert "user" not in plain["oauth_config"]["scopes"]
    assert sends["oauth_config"]["scopes"] == {"bot": ["commands"], "user": ["chat:write"]}
    assert [each["name"] for each in sends["features"]["shortcuts"]][-1] == "Reply with Angel"


def test_workers_over_socket_mode_share_what_is_installed_over_http() -> None:
    variant = yaml.safe_load(http_manifest("https://a.example", socket_mode=True))
    assert variant["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in variant["settings"]["event_subscriptions"]
    assert "request_url" not in variant["settings"]["interactivity"]
    assert variant["oauth_config"]["redirect_urls"] == ["https://a.example/slack/oauth_redirect"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "angel.example.org",
        "http://angel.example.org",
        "https://",
        "https://a b",
        "https://[::1",
        "https://a:x",
        "https://a?b",
    ],
)
def test_an_address_that_slack_would_not_take_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"https://angel\.example\.org"):
        http_manifest(url)


def test_the_link_carries_the_whole_manifest_to_slacks_form() -> None:
    for text in (MANIFEST.read_text(encoding="utf-8"), http_manifest("https://angel.example.org")):
        link = new_app_link(text)
        parts = urlsplit(link)

        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://api.slack.com/apps"
        asked = parse_qs(parts.query)
        assert asked["new_app"] == ["1"]
        assert json.loads(asked["manifest_json"][0]) == yaml.safe_load(text)
        assert len(link) < 8_000  # what servers and browsers commonly take in one address
