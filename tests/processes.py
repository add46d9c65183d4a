"""`angel` as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bot

ROOT = Path(bot.__file__).parent.parent
HANG = 150
"""Seconds after which a process counts as hanging, on a machine however busy. Nothing is measured by it."""


def start(
    *arguments: str,
    python: tuple[str, ...] = (),
    stdin: Any = subprocess.DEVNULL,
    stdout: Any = subprocess.PIPE,
    **environ: str,
) -> "subprocess.Popen[bytes]":
    """`python -m bot` with these arguments, and with options of Python's own."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *python, "-m", "bot", *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
    )


def finish(*arguments: str, input: bytes | None = None, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    """The same, ended."""
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    with start(*arguments, python=(), stdin=stdin, **environ) as child:
        try:
            out, err = child.communicate(input, timeout=HANG)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)
