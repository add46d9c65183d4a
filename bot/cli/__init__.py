"""The command line, and the one place that puts the parts together (see `parts`)."""

import io
import json
import logging
import os
import sys
import traceback
import warnings
from pathlib import Path

import click
from dotenv import load_dotenv

from bot import __version__
from bot.cli import logs, parts, streams
from bot.cli.doctor import doctor
from bot.cli.model import model
from bot.cli.playground import playground
from bot.cli.screen import screen
from bot.cli.slack import manifest, serve
from bot.cli.store import installs, keys
from bot.errors import AngelError, DraftRejected
from bot.verdict import Draft, Label, Tone, Verdict

COULD_NOT_CHECK, INTERRUPTED = 2, 130
_EXIT_CODES = {Label.GOOD: 0, Label.CAUTION: 1, Label.UNREAD: COULD_NOT_CHECK}


def main() -> None:
    """The `angel` command. Exit code 1 is a caution, so whatever goes wrong ends with another: one line, and 2."""
    streams.prepare()
    code = _run()
    streams.abandon()
    sys.exit(code)


def _run() -> int:
    try:
        code = angel.main(standalone_mode=False)
        # What is in the buffers counts as written only now.
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        streams.complain(_shown(error))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except AngelError as error:
        streams.complain(f"angel: {error}")
    except (BrokenPipeError, SystemExit):
        pass  # whoever read the output has seen enough, and knows; click, too, would end with 1 there
    except OSError as error:
        if error.errno not in streams.UNWRITABLE:
            return _bug(error)
        streams.complain(f"angel: The output can't be written: {error.strerror}.")
    except Exception as error:
        return _bug(error)
    return COULD_NOT_CHECK


def _shown(error: click.ClickException) -> str:
    """What click says of an option or argument that it can't use."""
    said = io.StringIO()
    error.show(said)
    return said.getvalue().rstrip("\n")


def _bug(error: Exception) -> int:
    """A mistake in Angel: its kind, and with -v where it is. Not its text, which may hold the message's."""
    if logging.getLogger("bot").isEnabledFor(logging.INFO):
        streams.complain("".join(traceback.format_tb(error.__traceback__)).rstrip("\n"))
    kind = type(error).__name__
    streams.complain(f"angel: That is a mistake in Angel, not in what you typed ({kind}). angel -v tells where.")
    return COULD_NOT_CHECK


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="angel")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, without any message's text.")
def angel(verbose: bool) -> None:
    """Text Message Angel reads a message before you send it."""
    load_dotenv(Path(".env"))
    # Who checks which messages is nobody else's business; MLflow counts its users unless it is told not to.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if not verbose:
        warnings.simplefilter("ignore")  # they are for developers; the test run turns them into errors
    logs.set_up(logging.INFO if verbose else logging.WARNING, "%(message)s", sys.stderr)


angel.add_command(playground)
angel.add_command(model)
angel.add_command(screen)
angel.add_command(serve)
angel.add_command(doctor)
angel.add_command(manifest)
angel.add_command(installs)
angel.add_command(keys)


@angel.command(short_help="Check one message.")
@click.argument("text", required=False)
@click.option("--tone", type=click.Choice([tone.value for tone in Tone]), default=Tone.PLAYFUL.value, show_default=True)
@click.option("--context", help='A line on who will read it: "to my manager, after a missed deadline".')
@click.option("--model", "model_uri", metavar="URI", help="An MLflow model to ask instead of the configured one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; the README lists its keys.")
def check(text: str | None, tone: str, context: str | None, model_uri: str | None, as_json: bool) -> int:
    """Check one message: TEXT, or standard input where TEXT is - or left out.

    The exit code is 0 for good, 1 for caution, 2 where it could not be checked or is in a language that can't be read.
    """
    draft = _draft(_standard_input() if text is None or text == "-" else _typed(text), tone, context)
    verdict = _screen([draft], model_uri)[0]
    if as_json:
        text = json.dumps(verdict.as_json(), ensure_ascii=False)
        click.echo(text if streams.encodes(text) else json.dumps(verdict.as_json()))
    else:
        _show(draft, verdict)
    return _EXIT_CODES[verdict.label]


@angel.command("try", short_help="Check the five messages of MLflow's tutorial.")
def try_() -> int:
    """Check the five messages of MLflow's tutorial, as `angel check` would."""
    from bot.evaluation.examples import read_examples

    drafts = [example.draft for example in read_examples() if example.slice == "tutorial"]
    for draft, verdict in zip(drafts, _screen(drafts, None), strict=True):
        click.echo(f"{click.style('angel check', dim=True)} {json.dumps(draft.text)}")
        _show(draft, verdict)
        click.echo()
    return 0


def _screen(drafts: list[Draft], model_uri: str | None) -> list[Verdict]:
    import asyncio

    screener = parts.screener(parts.settings(**({"model_uri": model_uri} if model_uri else {})))

    async def screen() -> list[Verdict]:
        return [await screener.screen(draft) for draft in drafts]

    return asyncio.run(screen())


def _show(draft: Draft, verdict: Verdict) -> None:
    from bot.model.phrasebook import WHAT_IT_MISSES
    from bot.terminal import show

    show(draft, verdict, offline_note=WHAT_IT_MISSES, out=sys.stdout)


def _draft(text: object, tone: str, context: str | None) -> Draft:
    return Draft(text=text, tone=Tone(tone), context=context)  # type: ignore[arg-type]  # Draft says what it can't read


def _typed(text: str) -> str:
    """An argument as it was typed: in a locale without UTF-8, Python keeps its bytes as lone surrogates."""
    try:
        return os.fsencode(text).decode("utf-8") if any("\udc80" <= letter <= "\udcff" for letter in text) else text
    except UnicodeError:
        return text  # Draft says that a character is broken


def _standard_input() -> str:
    if sys.stdin.isatty():
        click.echo("Type the message, then Ctrl-D on a line of its own:", err=True)
    try:
        return sys.stdin.buffer.read().decode("utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        raise DraftRejected("The standard input is not UTF-8 text.") from error
