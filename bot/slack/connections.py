"""How many connections the HTTP front holds, and which of them goes when another one comes.

A connection costs nothing to open. As long as every newcomer finds a place, whoever opens many of them and sends
nothing, or sends slowly, keeps nobody else out.
"""

import asyncio
import contextlib
import resource
from collections.abc import Iterator

from aiohttp import web

MOST = 500


def room() -> int:
    """How many to hold: half of the descriptors that the process may have. The other half is for its own."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft // 2))


class Connections:
    """A factory of protocols for asyncio's server: those of aiohttp's `server`, at most `most` of them at once.

    Past that, the oldest goes that has never brought a request that Slack has signed; else the one that Slack has not
    used for longest. One whose request is being answered stays.
    """

    def __init__(self, server: web.Server, most: int) -> None:
        self._server = server
        self._most = most
        self._answering: set[web.RequestHandler] = set()
        self._slacks: dict[web.RequestHandler, None] = {}  # the one used last is the last
        self._dropped: set[web.RequestHandler] = set()

    def __call__(self) -> asyncio.Protocol:
        # In the order in which they came. One that was dropped a moment ago is still among them.
        there = dict.fromkeys(self._server.connections)
        self._dropped.intersection_update(there)
        self._slacks = {each: None for each in self._slacks if each in there}
        if len(there) - len(self._dropped) >= self._most:
            strangers = (each for each in there if each not in self._slacks)
            for each in (*strangers, *self._slacks):
                if each not in self._dropped and each not in self._answering:
                    self._dropped.add(each)
                    each.force_close()
                    break
        return self._server()

    @contextlib.contextmanager
    def answering(self, connection: web.RequestHandler) -> Iterator[None]:
        """While a request that Slack has signed is being answered on it."""
        self._answering.add(connection)
        self._slacks.pop(connection, None)
        self._slacks[connection] = None
        try:
            yield
        finally:
            self._answering.discard(connection)
