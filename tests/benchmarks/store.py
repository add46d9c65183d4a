"""What the store adds to a check: `python -m tests.benchmarks.store`.

A check asks the store about the person who checks: the workspace's rules, what they chose, whether they have connected.
What was looked up is kept for 30 s. Each figure is of 2,000 checks by 500 people of 50 workspaces, in milliseconds.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from slack_sdk.oauth.installation_store import Installation

from bot.store.database import sqlite_url
from bot.store.keys import new_key
from bot.store.owners import Person, Workspace
from bot.store.store import Store
from bot.store.terms import PersonsChoices, WorkspaceRules
from bot.verdict import Tone
from tests import postgresql

CHECKS = 2_000
WORKSPACES = 50
PEOPLE = 10
"""In each workspace."""


async def measured(url: str) -> dict[str, list[float]]:
    """Milliseconds a check, where nothing is known of the person and where they checked a moment ago."""
    keys = new_key()
    store = Store(url, keys, client_id="1.2", client_secret="shh", slack_url="http://127.0.0.1:1/api/")
    await store.open()
    people = [
        Person(Workspace(None, f"T{team}"), f"U{number}") for team in range(WORKSPACES) for number in range(PEOPLE)
    ]
    for person in people:
        await store.keep(
            Installation(
                app_id="A1",
                team_id=person.workspace.team_id,
                user_id=person.user_id,
                bot_token="xoxb-1" if person.user_id == "U0" else None,
                user_token="xoxp-1",
                user_scopes=["chat:write"],
            )
        )
        await store.choices.put_person(person, PersonsChoices(tone=Tone.WARM))
        await store.choices.put_workspace(person.workspace, WorkspaceRules(house_style="Please and thank you."))
    taken: dict[str, list[float]] = {"looked up": [], "known": []}
    for check in range(CHECKS):
        person = people[check * 7 % len(people)]
        fresh = Store(url, keys, client_id="1.2", client_secret="shh", slack_url="http://127.0.0.1:1/api/")
        fresh.database.engine = fresh.tokens.store.engine = store.database.engine  # connected, and nobody is known
        for kind in taken:
            began = time.perf_counter()
            about = await fresh.about(person)
            taken[kind].append((time.perf_counter() - began) * 1_000)
            assert about.connected
            assert about.choices.tone is Tone.WARM
    await store.close()
    return taken


def said(name: str, taken: dict[str, list[float]]) -> None:
    for kind, figures in taken.items():
        ordered = sorted(figures)
        print(  # noqa: T201
            f"{name:<11} {kind:<10} median {statistics.median(ordered):6.3f} ms   "
            f"99th percentile {ordered[int(len(ordered) * 0.99)]:6.3f} ms"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        said("SQLite", asyncio.run(measured(sqlite_url(Path(folder) / "angel.db"))))
    if postgresql.programs() is None:
        print(postgresql.MISSING)  # noqa: T201
        return
    with postgresql.running() as server:
        said("PostgreSQL", asyncio.run(measured(server.url)))


if __name__ == "__main__":
    main()
