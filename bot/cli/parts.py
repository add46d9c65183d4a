"""The parts, put together from the settings."""

import logging
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.errors import ModelMisconfigured
from bot.settings import Settings

logger = logging.getLogger(__name__)

# Imported where they are used: MLflow takes a second, and `angel --help` needs neither it nor Slack.
if TYPE_CHECKING:
    from bot.evaluation.registry import Registry
    from bot.model.loading import LoadedModel, Source
    from bot.screener import Model, Screener
    from bot.store.store import Store


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


def model(chosen: Settings) -> "LoadedModel":
    """The model that these settings ask for, loaded. Raises ModelMisconfigured where that can't be."""
    from bot.model.loading import load

    tame_mlflow()
    return load(source(chosen), chosen.cache_dir)


def screener(chosen: Settings) -> "Screener":
    """The screener with its model loaded. Raises ModelMisconfigured where that can't be."""
    from bot.model.loading import load_offline
    from bot.screener import Screener

    loaded = model(chosen)
    offline = loaded if source(chosen).kind == "offline" else load_offline(chosen.cache_dir)
    return Screener(loaded, offline, concurrency=chosen.concurrency, deadline=chosen.deadline)


def following_screener(chosen: Settings) -> "Screener":
    """The screener of a process that runs on: where its model's URI is an alias, it follows that."""
    from bot.model.following import Following, NotLoaded, is_alias
    from bot.model.loading import load_offline
    from bot.screener import Screener

    if not chosen.model_uri or not is_alias(chosen.model_uri):
        return screener(chosen)
    tame_mlflow()
    following = Following(chosen.model_uri, chosen.cache_dir)
    try:
        first: Model = following.first()
    except ModelMisconfigured as error:
        logger.error("%s The offline check answers until it can be.", error)
        first = NotLoaded(chosen.model_uri)
    made = Screener(first, load_offline(chosen.cache_dir), concurrency=chosen.concurrency, deadline=chosen.deadline)
    following.start(made.swap)
    return made


def store(chosen: Settings) -> "Store":
    """The store, not yet opened. Raises SettingsError naming what is not set."""
    from bot.store.store import Store

    chosen.require("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "ANGEL_SECRET_KEYS")
    assert chosen.slack_client_id is not None
    assert chosen.slack_client_secret is not None
    assert chosen.secret_keys is not None
    return Store(
        chosen.store_url,
        chosen.secret_keys.get_secret_value(),
        client_id=chosen.slack_client_id,
        client_secret=chosen.slack_client_secret.get_secret_value(),
        slack_url=chosen.slack_api_url,
    )


def who_reads(chosen: Settings) -> str:
    """Which model and provider read drafts, for people who want to know."""
    from bot.slack import wording

    if chosen.model_uri:
        return wording.reads_model(chosen.model_uri)
    if source(chosen).kind == "offline":
        return wording.READS_OFFLINE
    from bot.model.chat import DEFAULT_MODEL

    host = urlsplit(chosen.openai_base_url).hostname if chosen.openai_base_url else "OpenAI"
    return wording.reads_chat(chosen.openai_model or DEFAULT_MODEL, host or "")


def model_loaded(made: "Screener") -> bool:
    """Whether the model that was asked for is there, and not the one that stands in for it."""
    from bot.model.following import NotLoaded

    return not isinstance(made.model, NotLoaded)


def tame_mlflow() -> None:
    """Bound how long MLflow may take, and quiet it.

    By default it asks a server that is down for four minutes, and tells of every model it saves. Both are read when
    used; its import sets its loggers to INFO, so this comes after that.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    logging.getLogger("mlflow").setLevel(logging.ERROR)


def registry() -> "tuple[Settings, Registry]":
    """The settings, and the model's versions in the MLflow store that they name."""
    chosen = settings()
    from bot.evaluation.registry import Registry

    tame_mlflow()
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it tells of every retry; the error at their end is ours
    return chosen, Registry(chosen.mlflow_tracking_uri)
