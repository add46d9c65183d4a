"""Payloads over HTTP, signed: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from bot.local_slack.ack import Ack
from bot.local_slack.events import JSON


class Http:
    """`request_url` is the app's; None while it is reached otherwise."""

    def __init__(self, signing_secret: str) -> None:
        self._signing_secret = signing_secret
        self.request_url: str | None = None
        self._session: aiohttp.ClientSession | None = None

    async def send(self, kind: str, payload: JSON, timestamp: float | None, secret: str | None, again: bool) -> Ack:
        assert self.request_url is not None
        content_type, body = _encoded(kind, payload)
        # Apps compare it with the machine's clock, however far ours has been moved.
        at = str(int(time.time() if timestamp is None else timestamp))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": signature(self._signing_secret if secret is None else secret, at, body),
        }
        if again:
            headers |= {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            async with self._session.post(
                self.request_url, data=body, headers=headers, allow_redirects=False
            ) as response:
                text = await response.text(errors="replace")
        except aiohttp.ClientError:
            return Ack(error="dispatch_unknown_error")
        if response.status != 200:
            error = "http_service_error" if response.status >= 500 else "http_client_error"
            return Ack(error=error, status=response.status)
        if response.content_type == "application/json" and text:
            try:
                return Ack(json.loads(text), status=200)
            except ValueError:
                return Ack(error="invalid_command_response", status=200)
        return Ack(text or None, status=200)

    async def close(self) -> None:
        if self._session:
            await self._session.close()


def signature(secret: str, timestamp: str, body: str) -> str:
    """Slack's `X-Slack-Signature`, version 0."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


def _encoded(kind: str, payload: JSON) -> tuple[str, str]:
    """Events come as JSON, commands as a form, everything else as JSON in a form's `payload`."""
    if kind == "events_api":
        return "application/json", json.dumps(payload)
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return "application/x-www-form-urlencoded", urlencode(form, errors="replace")
