"""The parts, put together from the settings."""

import logging
import os
from typing import TYPE_CHECKING, Any

from bot.settings import Settings

# Imported where they are used: MLflow takes a second, and `angel --help` needs neither it nor Slack.
if TYPE_CHECKING:
    from bot.model.loading import Source
    from bot.screener import Screener


def settings(**changes: Any) -> Settings:
    """The settings of this process's environment, with `changes` from the command line. Raises SettingsError."""
    return Settings.from_env(os.environ).model_copy(update=changes)


def source(chosen: Settings) -> "Source":
    """Which model these settings ask for, and why."""
    from bot.model.loading import source

    return source(
        model_uri=chosen.model_uri,
        openai_model=chosen.openai_model,
        has_key=chosen.openai_api_key is not None,
        has_base_url=chosen.openai_base_url is not None,
    )


def screener(chosen: Settings) -> "Screener":
    """The screener with its model loaded. Raises ModelMisconfigured where that can't be."""
    from bot.model.loading import load, load_offline
    from bot.screener import Screener

    quiet_mlflow()
    offline = load_offline(chosen.cache_dir)
    wanted = source(chosen)
    loaded = offline if wanted.kind == "offline" else load(wanted, chosen.cache_dir)
    return Screener(loaded, offline, concurrency=chosen.concurrency, deadline=chosen.deadline)


def quiet_mlflow() -> None:
    """Keep MLflow from telling of every model it saves. Its import sets its loggers to INFO, so this comes after it."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
