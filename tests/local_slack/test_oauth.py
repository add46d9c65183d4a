"""Installing the app and connecting people, the tokens that come of it, and their end."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.clock import Clock
from bot.local_slack.slack import LocalSlack, NotOffered
from tests.local_slack.conftest import refusal
from tests.local_slack.shapes import JSON, MANIFEST

REDIRECT = MANIFEST["oauth_config"]["redirect_urls"][0]


def with_settings(**settings: Any) -> JSON:
    return MANIFEST | {"settings": MANIFEST["settings"] | settings}


@pytest.fixture
async def bare() -> AsyncIterator[LocalSlack]:
    """A Slack in which the app is not yet installed."""
    async with LocalSlack(manifest=MANIFEST, installed=False, clock=Clock(frozen=True)) as slack:
        yield slack


def page(slack: LocalSlack, **query: str) -> str:
    asked = {"client_id": slack.client_id, "scope": "commands", "state": "s", "redirect_uri": REDIRECT} | query
    return f"{slack.authorize_url}?{urlencode({name: value for name, value in asked.items() if value})}"


async def code(slack: LocalSlack, *, user: str | None = None, org_wide: bool = False, **query: str) -> str:
    back = await slack.authorize(page(slack, **query), user=user, org_wide=org_wide)
    assert back.startswith(f"{query.get('redirect_uri') or REDIRECT}?")
    answer = parse_qs(urlsplit(back).query)
    assert answer["state"] == ["s"]
    return answer["code"][0]


def access(slack: LocalSlack, **args: str) -> Any:
    credentials = {"client_id": slack.client_id, "client_secret": slack.client_secret}
    return AsyncWebClient(base_url=slack.api_url).oauth_v2_access(**{**credentials, "redirect_uri": REDIRECT, **args})


async def installed(slack: LocalSlack, *, user: str | None = None, **query: str) -> Any:
    back = await slack.authorize(page(slack, **query), user=user)
    return await access(slack, code=parse_qs(urlsplit(back).query)["code"][0])


def as_(slack: LocalSlack, token: str) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=slack.api_url)


async def test_an_installation_gives_a_bot_token_for_its_workspace_alone(bare: LocalSlack) -> None:
    with pytest.raises(NotOffered, match="not installed"):
        await bare.command("/angel", user=bare.second_user)
    answer = await installed(bare, user=bare.second_user)
    assert (answer["token_type"], answer["scope"]) == ("bot", "commands")
    assert answer["team"] == {"id": bare.second_team, "name": "Second Slack"}
    assert answer["authed_user"] == {"id": bare.second_user}
    assert (answer["enterprise"], answer["is_enterprise_install"]) == (None, False)
    assert not {"refresh_token", "expires_in"} & set(answer.data)
    who = await as_(bare, answer["access_token"]).auth_test()
    assert (who["team_id"], who["user_id"], "bot_id" in who.data) == (bare.second_team, answer["bot_user_id"], True)
    delivery = await bare.command("/angel", user=bare.second_user)
    assert delivery.payload["team_id"] == bare.second_team
    with pytest.raises(NotOffered, match="not installed"):
        await bare.command("/angel")


async def test_a_person_connects_with_user_scopes_alone(bare: LocalSlack) -> None:
    bot = (await installed(bare))["access_token"]
    answer = await installed(bare, user=bare.other, scope="", user_scope="chat:write")
    assert "access_token" not in answer.data
    mine = answer["authed_user"]
    assert (mine["id"], mine["scope"], mine["token_type"]) == (bare.other, "chat:write", "user")
    assert mine["access_token"].startswith("xoxp-")
    who = await as_(bare, mine["access_token"]).auth_test()
    assert (who["user_id"], "bot_id" in who.data) == (bare.other, False)
    assert (await as_(bare, bot).auth_test())["ok"]


async def test_scopes_add_up_and_the_token_stays(bare: LocalSlack) -> None:
    first = await installed(bare)
    second = await installed(bare, scope="chat:write")
    assert (second["access_token"], second["scope"]) == (first["access_token"], "chat:write,commands")


async def test_a_person_can_cancel(bare: LocalSlack) -> None:
    back = await bare.authorize(page(bare), allow=False)
    assert parse_qs(urlsplit(back).query) == {"error": ["access_denied"], "state": ["s"]}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"scope": ""}, "no_scopes"),
        ({"scope": "commands,channels:history"}, "channels:history"),
        ({"user_scope": "admin"}, "invalid_scope"),
        ({"redirect_uri": "https://evil.example/slack/oauth_redirect"}, "bad_redirect_uri"),
        ({"redirect_uri": f"{REDIRECT}.evil.example"}, "bad_redirect_uri"),
        ({"redirect_uri": f"{REDIRECT}/../elsewhere"}, "bad_redirect_uri"),
        ({"team": "T0NOWHERE"}, "no such workspace"),
        ({"team": "T0SECOND"}, "another workspace"),
    ],
)
async def test_a_page_that_asks_for_what_the_app_may_not_have_says_so(bare: LocalSlack, query: Any, says: str) -> None:
    with pytest.raises(NotOffered, match=says):
        await bare.authorize(page(bare, **query))


async def test_another_page_is_none_of_slacks(bare: LocalSlack) -> None:
    with pytest.raises(NotOffered, match="oauth_authorization_url_mismatch"):
        await bare.authorize(page(bare).replace("/v2/", "/"))


async def test_an_app_without_a_redirect_url_can_not_be_installed_so() -> None:
    async with LocalSlack(installed=False) as slack:
        with pytest.raises(NotOffered, match="bad_redirect_uri"):
            await slack.authorize(page(slack, redirect_uri=""))


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"client_secret": "guessed"}, "bad_client_secret"),
        ({"code": "1.2.3"}, "invalid_code"),
        ({"redirect_uri": f"{REDIRECT}/other"}, "bad_redirect_uri"),
        ({"redirect_uri": ""}, "bad_redirect_uri"),
        ({"grant_type": "password"}, "invalid_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "xoxe-1-made-up"}, "invalid_refresh_token"),
        ({"grant_type": "refresh_token"}, "invalid_refresh_token"),
    ],
)
async def test_a_code_is_exchanged_by_its_app_alone(bare: LocalSlack, args: JSON, error: str) -> None:
    given = {"code": await code(bare)} | args
    assert (await refusal(access(bare, **given)))["error"] == error


async def test_a_code_is_good_once_and_for_ten_minutes(bare: LocalSlack) -> None:
    once, late, failed = await code(bare), await code(bare), await code(bare)
    assert (await access(bare, code=once))["ok"]
    assert (await refusal(access(bare, code=once)))["error"] == "invalid_code"
    assert (await refusal(access(bare, code=failed, redirect_uri="https://evil.example")))[
        "error"
    ] == "bad_redirect_uri"
    assert (await refusal(access(bare, code=failed)))["error"] == "invalid_code"
    bare.clock.advance(601)
    assert (await refusal(access(bare, code=late)))["error"] == "invalid_code"


async def test_a_redirect_uri_that_was_not_sent_is_not_sent_again(bare: LocalSlack) -> None:
    assert (await access(bare, code=await code(bare, redirect_uri=""), redirect_uri=""))["ok"]
    assert (await refusal(access(bare, code=await code(bare, redirect_uri=""))))["error"] == "bad_redirect_uri"


async def test_the_apps_credentials_may_stand_in_the_header(bare: LocalSlack) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth(bare.client_id, bare.client_secret)}
    form = {"code": await code(bare), "redirect_uri": REDIRECT}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{bare.api_url}oauth.v2.access", data=form, headers=headers)
        assert (await answer.json())["ok"]


async def test_no_token_code_or_secret_is_remembered_with_the_calls(bare: LocalSlack) -> None:
    given = await code(bare)
    with bare.subscribe() as events:
        answer = await access(bare, code=given)
        told = str(await anext(events)) + str(bare.calls)
    for secret in (given, answer["access_token"], bare.client_secret):
        assert secret not in told


# Rotation


async def test_rotated_tokens_expire_and_are_refreshed_by_the_sdk() -> None:
    clock = Clock()
    async with LocalSlack(manifest=with_settings(token_rotation_enabled=True), installed=False, clock=clock) as slack:
        answer = await installed(slack, user_scope="chat:write")
        mine = answer["authed_user"]
        assert answer["expires_in"] == mine["expires_in"] == 43_200
        assert answer["access_token"].startswith("xoxe.xoxb-")
        assert mine["access_token"].startswith("xoxe.xoxp-")
        clock.advance(43_201)
        for old in (answer["access_token"], mine["access_token"]):
            assert (await refusal(as_(slack, old).auth_test()))["error"] == "token_expired"
        rotator = AsyncTokenRotator(
            client_id=slack.client_id,
            client_secret=slack.client_secret,
            client=AsyncWebClient(base_url=slack.api_url),
        )
        fresh = await rotator.perform_token_rotation(
            installation=Installation(
                user_id=slack.user,
                bot_token=answer["access_token"],
                bot_refresh_token=answer["refresh_token"],
                bot_token_expires_at=1_000_000_000,
                bot_id="B",
                bot_user_id="U",
                user_token=mine["access_token"],
                user_refresh_token=mine["refresh_token"],
                user_token_expires_at=1,
            )
        )
        assert fresh
        assert (await as_(slack, str(fresh.bot_token)).auth_test())["user_id"] == slack.bot
        assert (await as_(slack, str(fresh.user_token)).auth_test())["user_id"] == slack.user
        again = access(slack, grant_type="refresh_token", refresh_token=answer["refresh_token"])
        assert (await refusal(again))["error"] == "invalid_refresh_token"


# For a whole organization


async def test_an_organization_wide_installation_is_for_both_workspaces() -> None:
    async with LocalSlack(manifest=with_settings(org_deploy_enabled=True), installed=False) as slack:
        answer = await access(slack, code=await code(slack, org_wide=True))
        assert (answer["team"], answer["is_enterprise_install"]) == (None, True)
        assert answer["enterprise"] == {"id": "E0LOCAL", "name": "Local Org"}
        command = (await slack.command("/angel", user=slack.second_user)).payload
        assert (command["enterprise_id"], command["is_enterprise_install"]) == ("E0LOCAL", "true")
        shortcut = (await slack.global_shortcut("compose")).payload
        assert (shortcut["enterprise"]["id"], shortcut["is_enterprise_install"]) == ("E0LOCAL", True)
        client = as_(slack, answer["access_token"])
        assert (await client.auth_test())["is_enterprise_install"] is True
        for user in (slack.user, slack.second_user):
            assert (await client.views_publish(user_id=user, view={"type": "home", "blocks": []}))["ok"]


async def test_an_app_that_is_not_ready_for_an_organization_is_not_offered_to_one(bare: LocalSlack) -> None:
    with pytest.raises(NotOffered, match="organization"):
        await bare.authorize(page(bare), org_wide=True)


# The end


async def events_of(slack: LocalSlack, act: Any) -> list[JSON]:
    """What the app is told of it."""
    with slack.subscribe() as events:
        outcome = act()
        if outcome is not None:
            await outcome
        found: list[JSON] = []
        async for event in events:
            if event["type"] == "delivery":
                found.append(event["payload"])
            if found and found[-1]["event"]["type"] == "tokens_revoked":
                return found
    raise AssertionError("no more events")


async def test_who_disconnects_revokes_one_token_and_the_app_hears_of_it(bare: LocalSlack) -> None:
    bot = (await installed(bare))["access_token"]
    mine = (await installed(bare, user=bare.other, scope="", user_scope="chat:write"))["authed_user"]["access_token"]
    client = as_(bare, mine)
    assert (await client.auth_revoke(test=True))["revoked"] is False
    (told,) = await events_of(bare, client.auth_revoke)
    assert (told["type"], told["team_id"]) == ("event_callback", bare.team)
    assert told["event"] == {"type": "tokens_revoked", "tokens": {"oauth": [bare.other], "bot": []}}
    assert (await refusal(client.auth_test()))["error"] == "token_revoked"
    assert (await as_(bare, bot).auth_test())["ok"]


async def test_a_person_can_take_it_back_on_slacks_own_page(bare: LocalSlack) -> None:
    await installed(bare, user_scope="chat:write")
    (told,) = await events_of(bare, bare.revoke)
    assert told["event"]["tokens"] == {"oauth": [bare.user], "bot": []}


async def test_an_app_that_is_taken_out_loses_everything_there(bare: LocalSlack) -> None:
    answer = await installed(bare, user_scope="chat:write")
    elsewhere = await installed(bare, user=bare.second_user)
    uninstalled, revoked = await events_of(bare, bare.uninstall)
    assert uninstalled["event"] == {"type": "app_uninstalled"}
    assert revoked["event"]["tokens"] == {"oauth": [bare.user], "bot": [bare.bot]}
    assert (await refusal(as_(bare, answer["access_token"]).auth_test()))["error"] == "account_inactive"
    assert (await refusal(as_(bare, answer["authed_user"]["access_token"]).auth_test()))["error"] == "token_revoked"
    assert (await as_(bare, elsewhere["access_token"]).auth_test())["ok"]
    with pytest.raises(NotOffered, match="not installed"):
        await bare.global_shortcut("compose")
    again = await installed(bare)
    assert again["access_token"] != answer["access_token"]


async def test_an_app_can_take_itself_out(bare: LocalSlack) -> None:
    client = as_(bare, (await installed(bare))["access_token"])
    for wrong, error in (
        ({"client_id": "1.2", "client_secret": bare.client_secret}, "invalid_client_id"),
        ({"client_id": bare.client_id, "client_secret": "guessed"}, "bad_client_secret"),
    ):
        assert (await refusal(client.apps_uninstall(**wrong)))["error"] == error
    await events_of(bare, lambda: client.apps_uninstall(client_id=bare.client_id, client_secret=bare.client_secret))
    assert (await refusal(client.auth_test()))["error"] == "account_inactive"
