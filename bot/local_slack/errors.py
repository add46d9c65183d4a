"""What the local Slack refuses: an app with Slack's error codes, a person because Slack would not offer it."""

from typing import Any


class Refused(Exception):
    """A call of the app that Slack refuses. `str()` is Slack's error code; `details` stand beside it in the answer."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class NotOffered(Exception):
    """Slack shows the person no way to do this."""


def refused_because(code: str, problems: list[str]) -> Refused:
    """With `problems` where Slack puts them."""
    metadata = {"messages": [f"[ERROR] {problem}" for problem in problems]}
    # Of messages Slack has them twice, of views once.
    plain = {"errors": problems} if code == "invalid_blocks" else {}
    return Refused(code, **plain, response_metadata=metadata)


def given(args: dict[str, Any], name: str) -> Any:
    """An argument that a method can't do without. Raises Refused."""
    if not args.get(name):
        raise refused_because("invalid_arguments", [f"missing required field: {name} [json-pointer:/{name}]"])
    return args[name]
