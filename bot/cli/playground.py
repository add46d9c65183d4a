"""`angel playground`: the whole bot on this machine, with a stand-in for Slack in the browser."""

import os
import tempfile
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import parts, streams
from bot.errors import AngelError

if TYPE_CHECKING:
    from bot.local_slack.slack import LocalSlack
    from bot.screener import Screener

COULD_NOT_PLAY = 2
PORTS = range(8765, 8775)
"""Where the page is unless --port says otherwise: the first of these that is free."""


@click.command(short_help="Try Angel in your browser, in a stand-in for Slack.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help=f"The port of the page.  [default: a free one from {PORTS[0]} on]",
)
@click.option("--no-browser", is_flag=True, help="Print the address of the page, and open no browser.")
def playground(port: int | None, no_browser: bool) -> int:
    """Try Angel in a stand-in for Slack, in the browser, until Ctrl-C.

    The page is for you alone: its address is new each time. The model is the one that `angel model show` names.
    """
    settings = parts.settings()

    from bot.model.phrasebook import WHAT_IT_MISSES
    from bot.playground.drafts import DRAFTS
    from bot.playground.play import address, play
    from bot.slack.process import run

    def load() -> "tuple[Screener, str]":
        source = parts.source(settings)
        screener = parts.following_screener(settings)
        return screener, "the built-in offline check" if source.kind == "offline" else screener.model.name

    def opened(slack: "LocalSlack") -> None:
        click.echo(f"Angel's playground: {address(slack)}  (Ctrl-C ends it)")
        if not no_browser:
            # Some browsers return only when they are closed.
            threading.Thread(target=_open, args=(_leading_to(address(slack), folder),), daemon=True).start()

    with tempfile.TemporaryDirectory(prefix="angel-") as folder:
        try:
            code = run(
                lambda stop: play(
                    load,
                    stop,
                    ports=PORTS if port is None else (port,),
                    drafts=DRAFTS,
                    opening=DRAFTS[0],
                    offline_note=WHAT_IT_MISSES,
                    model_note=parts.who_reads(settings),
                    opened=opened,
                )
            )
        except AngelError as error:
            streams.complain(f"angel: {error}")
            code = COULD_NOT_PLAY
    # The model may still be loading.
    streams.end(code)


def _leading_to(url: str, folder: str) -> str:
    """A file that leads a browser to the page; only this account can read it.

    Every account of the machine can see what a command, and so a browser, is started with.
    """
    page = Path(folder) / "playground.html"
    page.touch(mode=0o600)
    page.write_text(f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={url}">\n')
    return page.as_uri()


def _open(url: str) -> None:
    try:
        browser = webbrowser.get()
        # Browsers for the terminal, which is ours, are all of this kind.
        in_terminal = type(browser) is webbrowser.GenericBrowser and "BROWSER" not in os.environ
        if not in_terminal and browser.open(url):
            return
    except webbrowser.Error:
        pass
    click.echo("No browser could be opened from here. Open that address yourself.")
