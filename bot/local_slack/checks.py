"""Checks that JSON has a shape: each yields its problems in Slack's words, with the JSON pointer of their place."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Check = Callable[[Any, str], Iterator[str]]
"""Yields the problems of a value that stands at a JSON pointer."""


def utf16_units(text: str) -> int:
    """How long a text is for the clients of Slack; never fewer than its characters."""
    return len(text) + sum(character > "\uffff" for character in text)


def utf8_bytes(text: str) -> int:
    """How long a text is on a server. Half an emoji counts as the three bytes that it takes alone."""
    return len(text.encode("utf-8", "surrogatepass"))


def json_bytes(value: object) -> int:
    return utf8_bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def string(most: int, least: int = 1) -> Check:
    """What people read, in UTF-16 units. Slack's documentation says "characters"; its clients count these."""
    return _string(utf16_units, most, least)


def data(most: int, least: int = 1) -> Check:
    """What only programs read (values, ids, metadata), in UTF-8 bytes: what counts, the documentation leaves open."""
    return _string(utf8_bytes, most, least)


def _string(length: Callable[[str], int], most: int, least: int) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"must be a string [json-pointer:{at}]"
        elif length(value) < least:
            yield f"must be more than {least - 1} characters [json-pointer:{at}]"
        elif length(value) > most:
            yield f"must be less than {most + 1} characters [json-pointer:{at}]"

    return check


def matching(pattern: str, what: str) -> Check:
    compiled = re.compile(pattern)

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            yield f"must be a valid {what} [json-pointer:{at}]"

    return check


def integer(least: int, most: int) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if type(value) is not int:
            yield f"must be an integer [json-pointer:{at}]"
        elif not least <= value <= most:
            yield f"must be between {least} and {most} [json-pointer:{at}]"

    return check


def boolean(value: Any, at: str) -> Iterator[str]:
    if type(value) is not bool:
        yield f"must be a boolean [json-pointer:{at}]"


def among(*allowed: str) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if value not in allowed:
            yield f"value must be one of {', '.join(allowed)} [json-pointer:{at}]"

    return check


def array(item: Check, most: int, least: int = 0) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"must be an array [json-pointer:{at}]"
            return
        if len(value) > most:
            yield f"no more than {most} items allowed [json-pointer:{at}]"
        if len(value) < least:
            yield f"no less than {least} items allowed [json-pointer:{at}]"
        for number, each in enumerate(value):
            yield from item(each, f"{at}/{number}")

    return check


def object_of(
    required: dict[str, Check], optional: dict[str, Check] | None = None, *, either: tuple[str, ...] = ()
) -> Check:
    """`type` belongs to `typed`. Of `either`, which are optional by themselves, one must be there."""
    known = required | (optional or {})

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"must be an object [json-pointer:{at}]"
            return
        for name in required:
            if name not in value:
                yield f"missing required field: {name} [json-pointer:{at}]"
        if either and not any(name in value for name in either):
            yield f"must define either {' or '.join(f'`{name}`' for name in either)} [json-pointer:{at}]"
        for name, each in value.items():
            if name in known:
                yield from known[name](each, f"{at}/{name}")
            elif name != "type":
                yield f"invalid additional property: {name} [json-pointer:{at}]"

    return check


def typed(kinds: dict[str, Check]) -> Check:
    """An object whose `type` says which check it has to pass."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"must be an object [json-pointer:{at}]"
        elif "type" not in value:
            yield f"missing required field: type [json-pointer:{at}]"
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            yield f"unsupported type: {value['type']} [json-pointer:{at}/type]"
        else:
            yield from kinds[value["type"]](value, at)

    return check


def all_of(*checks: Check) -> Check:
    """Each in turn, as long as there was no problem: later ones may rely on the shape."""

    def check(value: Any, at: str) -> Iterator[str]:
        for each in checks:
            problems = list(each(value, at))
            yield from problems
            if problems:
                return

    return check
