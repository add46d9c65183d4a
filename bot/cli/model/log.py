"""`angel model log`: a version of the chat model."""

from pathlib import Path

import click

from bot.cli import parts
from bot.cli.logs import without_secrets
from bot.errors import AngelError

UNSET = "unset"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", UNSET)
"""OpenAI's (openai/types/shared/reasoning_effort.py), and one for sending none at all."""
ANSWER_KEYS = ("json", "findings", "verdict", "rewrite")
"""What instructions have to mention for a server that knows no schemas to answer in the right form."""


@click.command()
@click.option(
    "--model", "name", metavar="NAME", help="The chat model to ask.  [default: OPENAI_MODEL, or the built-in]"
)
@click.option("--temperature", type=click.FloatRange(0, 2), help="Not sent where left out: reasoning models refuse it.")
@click.option(
    "--reasoning-effort", type=click.Choice(EFFORTS), default="none", show_default=True, help="unset sends none at all."
)
@click.option(
    "--max-tokens", type=click.IntRange(min=1), default=600, show_default=True, help="The most a rewrite may take."
)
@click.option(
    "--prompt",
    metavar="PROMPT",
    help="Instructions: a text file; prompts:/NAME/3 or prompts:/NAME@alias from MLflow; or built-in.  "
    "[default: the newest version that a person made in MLflow, else built-in]",
)
def log(name: str | None, temperature: float | None, reasoning_effort: str, max_tokens: int, prompt: str | None) -> int:
    """Log a version of the chat model; it becomes the candidate.

    No key and no server are needed for it. Where a server is configured, MLflow tries the model on one message.
    """
    in_mlflow = prompt is None or prompt == "built-in" or prompt.startswith("prompts:/")
    text = None if in_mlflow or prompt is None else _instructions(Path(prompt))
    settings, registry = parts.registry()
    from bot.model import chat

    config = chat.config(
        name or settings.openai_model or chat.DEFAULT_MODEL,
        temperature=temperature,
        reasoning_effort=None if reasoning_effort == UNSET else reasoning_effort,
        max_tokens=max_tokens,
    )
    chosen = registry.prompt(prompt if in_mlflow else None, text)
    logged = registry.log(config, chosen)
    click.echo(f"Version {logged.version} is the candidate now. It asks {config['model']}.")
    click.echo(f"uri: {logged.uri}")
    click.echo(f"run: {logged.run_id}")
    click.echo(f"prompt: version {logged.prompt_version}")
    click.echo(f"store: {without_secrets(registry.tracking_uri)}")
    click.echo("Next: angel model evaluate")
    return 0


def _instructions(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise AngelError(
            f"{path} could not be opened ({error.strerror}). Name a text file with the instructions."
        ) from error
    except UnicodeDecodeError:
        raise AngelError(f"{path} is not UTF-8 text. Save it as such and try again.") from None
    if not text.strip():
        raise AngelError(
            f"{path} is empty. Write the instructions into it, or leave --prompt out for the built-in ones."
        )
    missing = [word for word in ANSWER_KEYS if word not in text.casefold()]
    if missing:
        click.echo(
            f"Note: {path} doesn't mention {', '.join(missing)}. Servers without structured outputs then won't know "
            "the form of the answer; the evaluation will tell.",
            err=True,
        )
    return text
