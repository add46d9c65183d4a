"""`angel serve` and `angel manifest`: Angel in Slack."""

import gc
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from bot.cli import logs, parts, streams
from bot.cli.workspaces import workspaces
from bot.errors import AngelError
from bot.settings import Settings

if TYPE_CHECKING:
    import asyncio

    from pydantic import SecretStr

    from bot.evaluation.recorder import Recorder

COULD_NOT_SERVE = 2
EVERYWHERE = "0.0.0.0"  # noqa: S104 - a host's router, such as Heroku's, comes from outside


@click.command(short_help="Run the Slack app.")
@click.option("--http", is_flag=True, help="Answer over HTTP at /slack/events instead of Socket Mode.")
@click.option("--host", default=EVERYWHERE, show_default=True, help="The address to listen at, with --http.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="The port to listen at, with --http.  [default: $PORT or 3000]"
)
def serve(http: bool, host: str, port: int | None) -> int:
    """Run the Slack app until SIGTERM or Ctrl-C; a second one ends it at once.

    Over Socket Mode it needs SLACK_BOT_TOKEN and SLACK_APP_TOKEN, with --http SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET.
    With SLACK_CLIENT_ID any workspace can install it, and its tokens are kept in a store; see docs/operators.md.
    With --http, /healthz tells that the process is up and /readyz that it can answer.

    Whoever gets an answer can say with a thumb whether it helped. Each vote is a line in the log, without the person or
    their words. Where MLFLOW_TRACKING_URI is a server, or ANGEL_TRACING is on, checks and votes go to MLflow, too; see
    `angel model feedback`.
    """
    settings = parts.settings()
    settings.require(*_needed(settings, http))
    logs.of_a_worker(settings.log_level, sys.stdout)
    # All that a start makes stays. Looking for garbage in it meanwhile takes a tenth of the start.
    gc.disable()
    from bot.model.lean import lean_imports

    with lean_imports(settings.model_uri):
        screener = parts.following_screener(settings)

    from bot.model.phrasebook import WHAT_IT_MISSES

    bot_token = "" if settings.has_store else _secret(settings.slack_bot_token)
    recorder = _recorder(settings)

    async def serving(stop: "asyncio.Event") -> None:
        async with workspaces(settings) as many:
            options: dict[str, Any] = {
                "slack_url": settings.slack_api_url,
                "offline_note": WHAT_IT_MISSES,
                "model_note": parts.who_reads(settings),
                "recorder": recorder,
                **many.options,
            }
            if not http:
                from bot.slack.socket_mode import serve_socket_mode

                app_token = _secret(settings.slack_app_token)
                await serve_socket_mode(screener, stop, bot_token=bot_token, app_token=app_token, **options)
                return
            from bot.slack.http import serve_http

            await serve_http(
                screener,
                stop,
                bot_token=bot_token,
                signing_secret=_secret(settings.slack_signing_secret),
                host=host,
                port=settings.port if port is None else port,
                model_loaded=lambda: parts.model_loaded(screener),
                routes=many.routes,
                **options,
            )

    return _run(serving, recorder)


def _needed(settings: Settings, http: bool) -> list[str]:
    """The variables without which `angel serve` can't."""
    transport = "SLACK_SIGNING_SECRET" if http else "SLACK_APP_TOKEN"
    if not settings.has_store:
        return ["SLACK_BOT_TOKEN", transport]
    return ["SLACK_CLIENT_SECRET", "ANGEL_SECRET_KEYS", transport, *(["ANGEL_URL"] if http else [])]


@click.command(short_help="Print the app's manifest, to be pasted at Slack.")
@click.option("--url", help="Where Slack can reach Angel over HTTP: https://your.host.")
@click.option("--send", is_flag=True, help="With --url: people may let Angel send as them (user scope chat:write).")
@click.option("--socket-mode", is_flag=True, help="With --url: installed over HTTP there, used over Socket Mode.")
@click.option("--link", is_flag=True, help="Print an address at which Slack has the manifest filled in, instead.")
def manifest(url: str | None, send: bool, socket_mode: bool, link: bool) -> None:
    """Print the app's manifest, to be pasted at Slack: for Socket Mode, or with --url for HTTP and any workspace."""
    from bot.slack.manifest import MANIFEST, NEW_APP, http_manifest, new_app_link

    if (send or socket_mode) and not url:
        raise click.UsageError(
            "--send and --socket-mode go with --url: people connect in the browser, at that address."
        )
    text = http_manifest(url, send=send, socket_mode=socket_mode) if url else MANIFEST.read_text(encoding="utf-8")
    if link:
        click.echo(new_app_link(text))
        return
    click.echo(text, nl=False)
    if sys.stdout.isatty():
        # On standard error, so that nobody's clipboard or file gets it along with the manifest.
        click.echo(
            f"\nPaste it at {NEW_APP} > From a manifest.\nOr let `angel manifest --link` give you that page with it.",
            err=True,
        )


def _recorder(settings: Settings) -> "Recorder | None":
    """What brings checks and votes to MLflow, where the settings ask for that."""
    if not settings.traces:
        return None
    from bot.evaluation.recorder import Recorder

    # A secret that every worker of the app has, so that a person is the same hash in all of them.
    key = _secret(settings.slack_client_secret if settings.has_store else settings.slack_bot_token)
    return Recorder(settings.mlflow_tracking_uri, key, keeps_text=settings.trace_text == "on")


def _run(serving: "Callable[[asyncio.Event], Awaitable[None]]", recorder: "Recorder | None") -> int:
    """Serves until a signal, then brings to MLflow what waits for it, within bounds."""
    from bot.slack.process import run

    # What is there by now stays. A full collection walks through all of MLflow for 0.13 s, in which nothing is acked.
    gc.freeze()
    gc.enable()
    try:
        code = run(serving)
    except AngelError as error:
        streams.complain(f"angel: {error}")
        code = COULD_NOT_SERVE
    if recorder is not None:
        recorder.close()
    # MLflow's exporter waits at exit for what it has not brought to its server yet: minutes, where that hangs, and a
    # host kills before. All that is to be kept is written by now.
    streams.end(code)


def _secret(value: "SecretStr | None") -> str:
    return value.get_secret_value() if value else ""
