"""What `angel doctor` finds out about Slack."""

from typing import Any

from bot.local_slack.slack import LocalSlack
from bot.slack.doctor import Check, Mark, check_slack
from bot.slack.manifest import manifest

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of nobody


async def checks(slack: LocalSlack, **changes: str | None) -> dict[str, Check]:
    tokens: dict[str, Any] = {
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": None,
    } | changes
    return {check.name: check async for check in check_slack(slack_url=slack.api_url, **tokens)}


async def test_all_is_well_with_the_manifests_own_app() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        found = await checks(slack, signing_secret=SECRET)

    assert [(name, check.mark) for name, check in found.items()] == [
        ("Bot token", Mark.FINE),
        ("Scopes", Mark.FINE),
        ("App token", Mark.FINE),
        ("Signing secret", Mark.FINE),
    ]
    assert found["Scopes"].detail == "commands"


async def test_missing_and_misshapen_tokens_are_named_with_where_to_find_them() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        found = await checks(slack, bot_token=None, app_token="xoxb-1", signing_secret="abc")  # misshapen

    assert found["Bot token"].detail == "SLACK_BOT_TOKEN is not set"
    assert "OAuth & Permissions" in found["Bot token"].remedy
    assert found["App token"].detail == "SLACK_APP_TOKEN does not look like one (xapp-...)"
    assert found["Signing secret"].detail.startswith("SLACK_SIGNING_SECRET does not look like one")
    assert {check.mark for check in found.values()} == {Mark.WRONG}


async def test_tokens_that_slack_does_not_accept_are_said() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        found = await checks(slack, bot_token="xoxb-1-old", app_token="xapp-1-old")  # of nobody

    assert found["Bot token"].detail == "Slack does not accept it (invalid_auth)"
    assert found["App token"].detail == "Slack does not accept it (invalid_auth)"
    assert "Scopes" not in found


async def test_lacking_scopes_are_named_and_more_than_needed_is_mentioned() -> None:
    async with LocalSlack(scopes=["chat:write"]) as slack:
        lacking = await checks(slack)
    async with LocalSlack(scopes=["chat:write", "commands"]) as slack:
        more = await checks(slack)

    assert (lacking["Scopes"].mark, lacking["Scopes"].detail) == (Mark.WRONG, "lacking commands")
    assert "Install App" in lacking["Scopes"].remedy
    assert (more["Scopes"].mark, more["Scopes"].detail) == (Mark.FINE, "commands; not needed: chat:write")


async def test_http_alone_needs_no_app_token() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        assert (await checks(slack, app_token=None, signing_secret=SECRET))["App token"].mark is Mark.FINE
        assert (await checks(slack, app_token=None))["App token"].mark is Mark.WRONG


async def test_a_slack_that_cannot_be_reached_is_not_the_tokens_fault() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        slack.fail("auth.test", drop=True)
        found = await checks(slack)

    assert "can't be asked" in found["Bot token"].detail
    assert "network" in found["Bot token"].remedy


async def test_who_has_no_app_yet_is_told_how_to_make_one() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        nothing = await checks(slack, bot_token=None, app_token=None)
        an_app = await checks(slack, bot_token=None)

    assert "angel manifest" in nothing["Bot token"].remedy
    assert "OAuth & Permissions" in nothing["Bot token"].remedy
    assert "angel manifest" not in an_app["Bot token"].remedy
