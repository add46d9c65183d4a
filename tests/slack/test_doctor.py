"""What `angel doctor` finds out about Slack."""

from bot.local_slack.slack import LocalSlack
from bot.slack.doctor import Check, check_slack
from bot.slack.manifest import manifest

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of nobody


async def checks(slack: LocalSlack, **changes: str | None) -> dict[str, Check]:
    tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "signing_secret": None} | changes
    return {check.name: check async for check in check_slack(slack_url=slack.api_url, **tokens)}


async def test_all_is_well_with_the_manifests_own_app() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        found = await checks(slack, signing_secret=SECRET)

    assert [(name, check.ok) for name, check in found.items()] == [
        ("Bot token", True),
        ("Scopes", True),
        ("App token", True),
        ("Signing secret", True),
    ]
    assert found["Scopes"].detail == "commands"


async def test_missing_and_misshapen_tokens_are_named_with_where_to_find_them() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        found = await checks(slack, bot_token=None, app_token="xoxb-1", signing_secret="abc")  # misshapen

    assert found["Bot token"].detail == "SLACK_BOT_TOKEN is not set"
    assert "OAuth & Permissions" in found["Bot token"].remedy
    assert found["App token"].detail == "SLACK_APP_TOKEN does not look like one (xapp-...)"
    assert found["Signing secret"].detail.startswith("SLACK_SIGNING_SECRET does not look like one")
    assert not any(check.ok for check in found.values())


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

    assert (lacking["Scopes"].ok, lacking["Scopes"].detail) == (False, "lacking commands")
    assert "Install App" in lacking["Scopes"].remedy
    assert (more["Scopes"].ok, more["Scopes"].detail) == (True, "commands; not needed: chat:write")


async def test_http_alone_needs_no_app_token() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        assert (await checks(slack, app_token=None, signing_secret=SECRET))["App token"].ok
        assert not (await checks(slack, app_token=None))["App token"].ok


async def test_a_slack_that_cannot_be_reached_is_not_the_tokens_fault() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        slack.fail("auth.test", drop=True)
        found = await checks(slack)

    assert "can't be asked" in found["Bot token"].detail
    assert "network" in found["Bot token"].remedy
