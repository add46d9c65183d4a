"""The command line, and the one place that puts the parts together (see `parts`)."""

import json
import logging
import os
import sys
import warnings
from pathlib import Path

import click
from dotenv import load_dotenv

from bot import __version__
from bot.cli import parts
from bot.cli.model import model
from bot.cli.playground import playground
from bot.cli.screen import screen
from bot.cli.slack import doctor, manifest, serve
from bot.errors import AngelError, DraftRejected
from bot.verdict import Draft, Label, Tone, Verdict

COULD_NOT_CHECK = 2


def main() -> None:
    """The `angel` command. An AngelError is one line and exit code 2; Ctrl-C is quiet."""
    try:
        sys.exit(angel.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except AngelError as error:
        click.echo(f"angel: {error}", err=True)
        sys.exit(COULD_NOT_CHECK)
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


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
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)


angel.add_command(playground)
angel.add_command(model)
angel.add_command(screen)
angel.add_command(serve)
angel.add_command(doctor)
angel.add_command(manifest)


@angel.command()
@click.argument("text", required=False)
@click.option("--tone", type=click.Choice([tone.value for tone in Tone]), default=Tone.PLAYFUL.value, show_default=True)
@click.option("--context", help='A line on who will read it: "to my manager, after a missed deadline".')
@click.option("--model", "model_uri", metavar="URI", help="An MLflow model to ask instead of the configured one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; the README lists its keys.")
def check(text: str | None, tone: str, context: str | None, model_uri: str | None, as_json: bool) -> int:
    """Check one message: TEXT, or standard input where TEXT is - or left out.

    The exit code is 0 for good, 1 for caution, 2 where it could not be checked.
    """
    draft = _draft(_standard_input() if text in (None, "-") else text, tone, context)
    verdict = _screen([draft], model_uri)[0]
    if as_json:
        click.echo(json.dumps(verdict.as_json(), ensure_ascii=False))
    else:
        _show(draft, verdict)
    return 0 if verdict.label is Label.GOOD else 1


@angel.command("try")
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


def _standard_input() -> str:
    if sys.stdin.isatty():
        click.echo("Type the message, then Ctrl-D on a line of its own:", err=True)
    try:
        return sys.stdin.buffer.read().decode("utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        raise DraftRejected("The standard input is not UTF-8 text.") from error
