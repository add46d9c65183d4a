import pytest

from bot.errors import SettingsError
from bot.settings import Settings


def test_nothing_set_is_fine() -> None:
    settings = Settings.from_env({})
    assert (settings.concurrency, settings.deadline, settings.port) == (256, 15.0, 3000)


def test_a_variable_set_to_nothing_is_not_set() -> None:
    assert Settings.from_env({"OPENAI_API_KEY": " ", "ANGEL_DEADLINE": ""}).openai_api_key is None


def test_every_wrong_variable_is_named_and_no_value_is_shown() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({"ANGEL_DEADLINE": "sk-soon", "ANGEL_CONCURRENCY": "0", "OPENAI_BASE_URL": "sk-here"})
    for name in ("ANGEL_DEADLINE", "ANGEL_CONCURRENCY", "OPENAI_BASE_URL"):
        assert name in str(raised.value)
    assert "sk-" not in str(raised.value)


@pytest.mark.parametrize("deadline", ["nan", "inf", "-1", "0", "121"])
def test_a_deadline_is_a_number_of_seconds(deadline: str) -> None:
    with pytest.raises(SettingsError, match="ANGEL_DEADLINE"):
        Settings.from_env({"ANGEL_DEADLINE": deadline})


def test_every_missing_variable_is_named_with_where_to_find_it() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({"SLACK_BOT_TOKEN": "xoxb-1"}).require(
            "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"
        )
    assert "SLACK_APP_TOKEN: your app > Basic Information > App-Level Tokens" in str(raised.value)
    assert "SLACK_SIGNING_SECRET" in str(raised.value)
    assert "SLACK_BOT_TOKEN" not in str(raised.value)


def test_secrets_do_not_show() -> None:
    settings = Settings.from_env({"OPENAI_API_KEY": "sk-hidden", "SLACK_BOT_TOKEN": "xoxb-hidden"})
    assert "hidden" not in f"{settings!r} {settings}"


@pytest.mark.parametrize(
    ("environ", "traces"),
    [
        ({}, False),
        ({"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, False),
        ({"MLFLOW_TRACKING_URI": "http://mlflow.example:5000"}, True),
        ({"MLFLOW_TRACKING_URI": "http://mlflow.example:5000", "ANGEL_TRACING": "off"}, False),
        ({"ANGEL_TRACING": "on"}, True),
    ],
)
def test_tracing_is_off_unless_a_server_is_configured(environ: dict[str, str], traces: bool) -> None:
    assert Settings.from_env(environ).traces is traces
