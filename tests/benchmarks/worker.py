"""`angel serve --http` as a process of its own, with a model and a Slack that answer at once.

They are as thin as can be, so that what is measured is the worker: no check of blocks, no clock. A request is signed
as Slack signs it, and counts as answered when its `response_url` has been used.
"""

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

ROOT = Path(__file__).parents[2]
SECRET = "of-nobody"  # noqa: S105  # as it says
ANSWER = {
    "verdict": "caution",
    "findings": [{"category": "insult", "excerpt": "idiot", "reason": "That word stays with people."}],
    "rewrite": "As per my last email, you genius.",
}


@dataclass
class Worker:
    """The worker that runs, and how to ask it something."""

    pid: int
    url: str
    slack: str
    client: aiohttp.ClientSession
    answers: dict[str, asyncio.Future[float]] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    """The last use of each `response_url`, under the number of its command."""
    sent: int = 0

    async def command(self, text: str, user: str = "U1") -> tuple[float, "asyncio.Future[float]"]:
        """Sends `/angel`: the seconds to its ack, and those to its answer, to wait for. It may come before the ack."""
        self.sent += 1
        name = str(self.sent)
        form = {
            "command": "/angel",
            "text": text,
            "user_id": user,
            "team_id": "T1",
            "channel_id": "C1",
            "trigger_id": f"{name}.1",
            "response_url": f"{self.slack}/actions/{name}",
        }
        body = urlencode(form).encode()
        at = str(int(time.time()))
        code = hmac.new(SECRET.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": f"v0={code}",
        }
        began = time.perf_counter()
        arrived = self.answers[name] = asyncio.get_running_loop().create_future()
        async with self.client.post(f"{self.url}/slack/events", data=body, headers=headers) as response:
            assert response.status == 200, response.status
            await response.read()
        return time.perf_counter() - began, asyncio.ensure_future(_since(began, arrived))

    async def check(self, text: str, user: str = "U1") -> float:
        """The seconds to the answer's arrival."""
        _, answer = await self.command(text, user)
        return await asyncio.wait_for(answer, 60)


async def _since(began: float, arrived: "asyncio.Future[float]") -> float:
    return await arrived - began


@asynccontextmanager
async def worker(*, tree: Path = ROOT, chat: bool = True, model_seconds: float = 0.0) -> AsyncIterator[Worker]:
    """A worker of the checkout at `tree` that serves, with a chat model that takes `model_seconds`, or without one."""
    answers: dict[str, asyncio.Future[float]] = {}
    bodies: dict[str, str] = {}

    async def complete(request: web.Request) -> web.Response:
        if model_seconds:
            await request.read()
            await asyncio.sleep(model_seconds)
        return web.Response(body=completion, content_type="application/json")

    async def answered(request: web.Request) -> web.Response:
        arrived, waiting = time.perf_counter(), answers.get(request.match_info["name"])
        body = await request.text()
        if json.loads(body)["text"]:
            bodies[request.match_info["name"]] = body
            if waiting and not waiting.done():
                waiting.set_result(arrived)
        return web.Response(text="ok")

    async def method(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "view": {"id": "V1"}})

    completion = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_760_000_000,
            "model": "a-model",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": json.dumps(ANSWER), "refusal": None},
                }
            ],
            "usage": {"prompt_tokens": 1200, "completion_tokens": 40, "total_tokens": 1240},
        }
    ).encode()
    site = web.Application(client_max_size=2**22)
    site.router.add_post("/v1/chat/completions", complete)
    site.router.add_post("/actions/{name}", answered)
    site.router.add_post("/api/{method}", method)
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1_024).start()
    here = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "serve", "--http", "--host", "127.0.0.1", "--port", "0"),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
            | {
                "PYTHONPATH": os.pathsep.join([str(tree), str(ROOT)]),
                "ANGEL_CACHE_DIR": folder,
                "OPENAI_BASE_URL": f"{here}/v1" if chat else "",
                "OPENAI_API_KEY": "sk-none" if chat else "",
                "SLACK_API_URL": f"{here}/api/",
                "SLACK_BOT_TOKEN": "xoxb-none",
                "SLACK_SIGNING_SECRET": SECRET,
            },
        )
        assert process.stdout
        while found := await process.stdout.readline():
            if port := re.search(rb"listening on port (\d+)", found):
                break
        else:
            raise SystemExit("the worker did not start")
        log = asyncio.ensure_future(_read(process.stdout))
        connector = aiohttp.TCPConnector(limit=0)
        try:
            async with aiohttp.ClientSession(connector=connector) as client:
                url = f"http://127.0.0.1:{port[1].decode()}"
                yield Worker(process.pid, url, here, client, answers, bodies)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
            await log
            await runner.cleanup()


async def _read(log: asyncio.StreamReader) -> None:
    """Takes the log away, as a host does."""
    while await log.read(2**16):
        pass
