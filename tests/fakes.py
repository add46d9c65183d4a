"""A loopback server that speaks OpenAI's chat completions, for real clients to talk to."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Reply:
    """How the server answers one request. `content` is the assistant's message; `body` replaces the whole response."""

    content: str | None = None
    status: int = 200
    error: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: dict[str, int] | None = field(
        default_factory=lambda: {"prompt_tokens": 1200, "completion_tokens": 40, "total_tokens": 1240}
    )
    body: bytes | None = None
    content_type: str = "application/json"
    seconds: float = 0.0
    hang: bool = False
    trickle: bool = False
    drop: bool = False
    reset: bool = False


def verdict(label: str, rewrite: str | None = None, *findings: tuple[str, str, str]) -> str:
    """An answer that keeps the schema; each finding is (category, excerpt, reason)."""
    return json.dumps(
        {
            "findings": [dict(zip(("category", "excerpt", "reason"), finding, strict=True)) for finding in findings],
            "verdict": label,
            "rewrite": rewrite,
        }
    )


def judge(draft: str) -> str:
    """A model of one idea: the word "idiot" stings."""
    if "idiot" not in draft:
        return verdict("good")
    return verdict("caution", draft.replace("idiot", "genius"), ("insult", "idiot", "That word stays with people."))


class FakeOpenAI:
    """Answers `replies` in turn, then with `judge`, or a model's own of `judges`; a model of `roles` says something of
    the whole request, as a judge of rewrites or a reflection does. What it was asked: `requests`, and as an embedder
    `embedded`.

    `key`: the API key it takes, any where None; `models`: the names it knows, any where None; `unsupported`: parameters
    it refuses as OpenAI does; `plain_refusal`: it refuses them in words only, as many compatible servers do.
    """

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.requests: list[dict[str, Any]] = []
        self.key: str | None = None
        self.models: set[str] | None = None
        self.unsupported: set[str] = set()
        self.plain_refusal = False
        self.judge: Callable[[str], str] = judge
        self.judges: dict[str, Callable[[str], str]] = {}
        self.roles: dict[str, Callable[[dict[str, Any]], str]] = {}
        self.embedded: list[str] = []
        self.seconds = 0.0
        self.in_flight = 0
        self.most_in_flight = 0
        self._asked = threading.Condition()
        self._released = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(120)
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def release(self) -> None:
        """Let every hanging request go on, now and from now on."""
        self._loop.call_soon_threadsafe(self._released.set)

    def wait_for_request(self) -> None:
        """Returns once it has been asked something."""
        assert self.wait_until(lambda: bool(self.requests)), "nobody asked"

    def wait_until(self, seen: Callable[[], bool]) -> bool:
        """Whether `seen()` came true, looked at after every request."""
        with self._asked:
            return self._asked.wait_for(seen, 120)

    def drafts(self) -> list[str]:
        """The drafts it was asked about, in order of arrival."""
        return [draft_of(request) for request in self.requests]

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # which cancels what still hangs at its end
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        application = web.Application(client_max_size=8 * 2**20)
        application.router.add_post("/v1/chat/completions", self._complete)
        application.router.add_post("/v1/embeddings", self._embed)
        application.router.add_get("/v1/models", self._list_models)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _list_models(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models or ()]}
        )

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        with self._asked:
            self.requests.append(asked)
            self._asked.notify_all()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = self._refusal(request, asked) or (
                self.replies.popleft() if self.replies else Reply(self._said(asked))
            )
            if reply.hang:
                await self._released.wait()
            if reply.trickle:
                await self._trickle(request)
            if reply.reset:
                await self._reset(request)
            if reply.seconds or self.seconds:
                await asyncio.sleep(reply.seconds or self.seconds)
        finally:
            self.in_flight -= 1
        if reply.drop:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(
            body=reply.body if reply.body is not None else json.dumps(_payload(asked, reply)).encode(),
            status=reply.status,
            headers=reply.headers,
            content_type=reply.content_type,
        )

    def _said(self, asked: dict[str, Any]) -> str:
        """What a model with a role says of the whole request, and any other of the draft in it."""
        if asked["model"] in self.roles:
            return self.roles[asked["model"]](asked)
        return self.judges.get(asked["model"], self.judge)(draft_of(asked))

    async def _embed(self, request: web.Request) -> web.Response:
        """A vector for each text: how often each letter is in it."""
        asked = await request.json()
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        self.embedded += texts
        vectors = [[float(text.casefold().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
        data = [{"object": "embedding", "index": place, "embedding": each} for place, each in enumerate(vectors)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": data, "model": asked["model"], "usage": usage})

    async def _trickle(self, request: web.Request) -> None:
        """Begins to answer, and sends blanks for as long as somebody listens."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b"\n")
            await asyncio.sleep(0.1)

    async def _reset(self, request: web.Request) -> None:
        """Begins to answer, and cuts the line in the middle of it."""
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices": [{"message": ')
        assert request.transport is not None
        request.transport.abort()

    def _refusal(self, request: web.Request, asked: dict[str, Any]) -> Reply | None:
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return error(401, "invalid_api_key", "Incorrect API key provided.")
        if self.models is not None and asked["model"] not in self.models:
            return error(
                404, "model_not_found", f"The model `{asked['model']}` does not exist or you do not have access."
            )
        for name in sorted(self.unsupported & asked.keys()):
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            if self.plain_refusal:
                return Reply(status=400, error={"message": message, "type": "BadRequestError", "code": 400})
            return error(400, "unsupported_parameter", message, name)
        return None


def error(status: int, code: str, message: str = "No.", param: str | None = None, **headers: str) -> Reply:
    """An error as OpenAI words it."""
    return Reply(
        status=status,
        error={"message": message, "type": "invalid_request_error", "param": param, "code": code},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def draft_of(request: dict[str, Any]) -> str:
    """The draft in a request of the chat model, or the last message of a request of somebody else's."""
    content = str(request["messages"][-1]["content"])
    try:
        return str(json.loads(content)["draft"])
    except (ValueError, KeyError, TypeError):
        return content


def _payload(asked: dict[str, Any], reply: Reply) -> dict[str, Any]:
    if reply.error is not None:
        return {"error": reply.error}
    content, finish_reason = reply.content, reply.finish_reason
    limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
    # Roughly a token for every four characters, as OpenAI's rule of thumb has it.
    if content and limit and len(content) > 4 * limit:
        content, finish_reason = content[: 4 * limit], "length"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": asked["model"],
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": content, "refusal": reply.refusal},
            }
        ],
        "usage": reply.usage,
    }
