"""Every variable the bot reads from its environment, read once."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from bot.errors import SettingsError


class Settings(BaseModel):
    """The environment, checked. A field's alias is its variable, its description says where the value is found.

    Secrets don't show when settings are printed or logged.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    openai_api_key: SecretStr | None = Field(
        None, alias="OPENAI_API_KEY", description="the key of the chat model's server"
    )
    openai_base_url: str | None = Field(
        None, alias="OPENAI_BASE_URL", description="where an OpenAI-compatible server is, with its path"
    )
    openai_model: str | None = Field(None, alias="OPENAI_MODEL", description="the name of the chat model")
    model_uri: str | None = Field(None, alias="ANGEL_MODEL_URI", description="an MLflow model to load instead")
    mlflow_tracking_uri: str | None = Field(
        None, alias="MLFLOW_TRACKING_URI", description="where MLflow keeps its records"
    )
    tracing: Literal["on", "off"] | None = Field(
        None, alias="ANGEL_TRACING", description="whether checks and votes become MLflow traces, without any text"
    )
    trace_text: Literal["on", "off"] = Field(
        "off",
        alias="ANGEL_TRACE_TEXT",
        description="whether people are asked, with each vote, to give the text with it",
    )
    concurrency: int = Field(256, alias="ANGEL_CONCURRENCY", ge=1, le=1_000, description="checks at once")
    deadline: float = Field(
        15.0, alias="ANGEL_DEADLINE", gt=0, le=120, description="seconds until the offline check answers instead"
    )
    cache_dir: Path = Field(
        default_factory=lambda: user_cache_path("text-message-angel"),
        alias="ANGEL_CACHE_DIR",
        description="a folder for the built-in models and the last good one",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="ANGEL_LOG_LEVEL", description="how much the worker logs"
    )
    slack_bot_token: SecretStr | None = Field(
        None, alias="SLACK_BOT_TOKEN", description="your app > OAuth & Permissions > Bot User OAuth Token (xoxb-...)"
    )
    slack_app_token: SecretStr | None = Field(
        None,
        alias="SLACK_APP_TOKEN",
        description="your app > Basic Information > App-Level Tokens, scope connections:write (xapp-...)",
    )
    slack_signing_secret: SecretStr | None = Field(
        None,
        alias="SLACK_SIGNING_SECRET",
        description="your app > Basic Information > App Credentials > Signing Secret",
    )
    slack_api_url: str = Field(
        "https://slack.com/api/", alias="SLACK_API_URL", description="Slack's Web API, or a stand-in for it"
    )
    slack_client_id: str | None = Field(
        None,
        alias="SLACK_CLIENT_ID",
        description="your app > Basic Information > App Credentials > Client ID; with it, any workspace can install",
    )
    slack_client_secret: SecretStr | None = Field(
        None,
        alias="SLACK_CLIENT_SECRET",
        description="your app > Basic Information > App Credentials > Client Secret",
    )
    angel_url: str | None = Field(
        None, alias="ANGEL_URL", description="where browsers and Slack reach `angel serve --http`: https://your.host"
    )
    database_url: SecretStr | None = Field(
        None, alias="DATABASE_URL", description="where the store is: postgresql://..., else an SQLite file of its own"
    )
    secret_keys: SecretStr | None = Field(
        None, alias="ANGEL_SECRET_KEYS", description="what tokens are encrypted with; `angel keys new` prints one"
    )
    port: int = Field(3000, alias="PORT", ge=0, le=65_535, description="the port of angel serve --http")

    @field_validator("deadline")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("Input should be a number of seconds")
        return value

    @field_validator("openai_base_url", "slack_api_url", "angel_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("Input should start with http:// or https://")
        return value

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings in `environ`; a variable that is set to nothing counts as not set.

        Raises SettingsError naming every variable that is wrong, without its value.
        """
        given = {name: environ[name].strip() for name in cls.variables() if environ.get(name, "").strip()}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problems = (f"  {problem['loc'][0]}: {_said(problem['msg'])}" for problem in error.errors())
            raise SettingsError("\n".join(["These variables can't be used as they are set:", *problems])) from None

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Each variable's name, and its field's."""
        return {str(field.alias): name for name, field in cls.model_fields.items()}

    @property
    def has_store(self) -> bool:
        """Whether any workspace can install this Angel, which then keeps tokens and choices."""
        return self.slack_client_id is not None

    @property
    def store_url(self) -> str:
        """Where the store is: DATABASE_URL, or a file in this user's own data folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{user_data_path('text-message-angel') / 'angel.db'}"

    @property
    def traces(self) -> bool:
        """Whether to trace: as ANGEL_TRACING says, else where an MLflow server is configured."""
        if self.tracing is not None:
            return self.tracing == "on"
        return (self.mlflow_tracking_uri or "").startswith(("http://", "https://", "databricks"))

    def require(self, *variables: str) -> None:
        """Raises SettingsError naming every one of the variables that is not set, and where to find its value."""
        names = self.variables()
        missing = [name for name in variables if getattr(self, names[name]) is None]
        if missing:
            lines = (f"  {name}: {type(self).model_fields[names[name]].description}" for name in missing)
            raise SettingsError(
                "\n".join(["These variables are not set (in the environment or in a .env file here):", *lines])
            )


def _said(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should", "should")
