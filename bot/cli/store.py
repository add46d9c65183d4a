"""`angel keys` and `angel installs`: what is kept where any workspace can install Angel."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from bot.cli import parts

if TYPE_CHECKING:
    from bot.store.installations import Installed
    from bot.store.store import Store

Found = TypeVar("Found")

NOTHING_OF_THAT_NAME = 1


@click.group(short_help="The keys that tokens are encrypted with: make one, rotate them.")
def keys() -> None:
    """The keys in ANGEL_SECRET_KEYS, with which Slack's tokens are encrypted before they reach the store."""


@keys.command(short_help="Print a new key.")
def new() -> None:
    """Print a new key for ANGEL_SECRET_KEYS. Nothing is kept or changed."""
    from bot.store.keys import new_key

    click.echo(new_key())


@keys.command(short_help="Encrypt every token with the first key.")
def rotate() -> None:
    """Encrypt every token in the store with the first key in ANGEL_SECRET_KEYS; the old ones stand behind it.

    Afterwards the old keys can be taken out of ANGEL_SECRET_KEYS, on every process that shares the store.
    """

    async def with_store(store: "Store") -> int:
        return await store.renew_keys()

    number = _with_store(with_store)
    click.echo(f"{number} {'token is' if number == 1 else 'tokens are'} encrypted with the first key now.")


@click.group(invoke_without_command=True, short_help="List the workspaces that installed Angel, or remove one.")
@click.pass_context
def installs(context: click.Context) -> None:
    """List the workspaces that installed Angel, and how many people in each let it send as them."""
    if context.invoked_subcommand:
        return
    listed = _with_store(_listed)
    if not listed:
        click.echo("No workspace has installed Angel yet.")
    for one in listed:
        people = "1 person" if one.connected == 1 else f"{one.connected} people"
        click.echo(f"{_id(one)}  {one.name}  {people} connected")


@installs.command(short_help="Delete all that is kept of one workspace.")
@click.argument("workspace_id")
@click.option("--yes", is_flag=True, help="Don't ask.")
def remove(workspace_id: str, yes: bool) -> int:
    """Delete every token and choice of the workspace (or organisation) with this id, as `angel installs` lists it.

    Angel can't answer there from then on until somebody installs it again. The exit code is 1 where there is none.
    """
    found = next((one for one in _with_store(_listed) if _id(one) == workspace_id), None)
    if found is None:
        click.echo(f"Angel is not installed in {workspace_id}. `angel installs` lists where it is.", err=True)
        return NOTHING_OF_THAT_NAME
    if not yes:
        click.confirm(f"Delete all that is kept of {found.name}?", abort=True)

    async def with_store(store: "Store") -> int:
        return await store.forget_workspace(found.workspace)

    _with_store(with_store)
    click.echo(f"Nothing is kept of {found.name} any more. An admin there can remove the app in Slack, too.")
    return 0


async def _listed(store: "Store") -> "list[Installed]":
    return await store.tokens.listed()


def _with_store(use: "Callable[[Store], Awaitable[Found]]") -> Found:
    """What `use` finds in the store. Raises SettingsError where it can't be used."""
    chosen = parts.settings()

    async def main() -> Found:
        store = parts.store(chosen)
        try:
            await store.open()
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(main())


def _id(one: "Installed") -> str:
    return str(one.workspace.row_team_id or one.workspace.enterprise_id)
