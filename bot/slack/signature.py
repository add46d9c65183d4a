"""Whether Slack has signed a request: an HMAC over its raw bytes, looked at before anything in them is parsed.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Literal

TIMESTAMP = "X-Slack-Request-Timestamp"
SIGNATURE = "X-Slack-Signature"
TOLERANCE_SECONDS = 300
"""How far a request's time may be from ours, as Slack advises, so that an old one can't be sent again."""

Flaw = Literal["unsigned", "stale", "bad_signature"]

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


def flaw_of_headers(headers: Mapping[str, str], now: float) -> Flaw | None:
    """What is wrong with them, whatever the body. `now` is in seconds since the epoch."""
    timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return "unsigned"  # a malformed header is none
    return "stale" if abs(now - int(timestamp)) > TOLERANCE_SECONDS else None


def is_signed(secret: str, headers: Mapping[str, str], body: bytes | bytearray) -> bool:
    """Whether the signature is Slack's over this body. The headers have no flaw by themselves."""
    start = b"v0:%s:" % headers[TIMESTAMP].encode()
    code = hmac.new(secret.encode(), start, hashlib.sha256)
    code.update(body)
    expected = "v0=" + code.hexdigest()
    return hmac.compare_digest(expected, headers[SIGNATURE])
