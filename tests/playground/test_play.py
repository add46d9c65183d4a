"""`angel playground` as a process."""

import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from tests.processes import HANG, ROOT


@contextmanager
def playground(*arguments: str, cache_dir: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "bot", "playground", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "ANGEL_CACHE_DIR": str(cache_dir)} | environ,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def address(child: subprocess.Popen[str]) -> str:
    """What it prints first."""
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line.startswith("Angel's playground: http://127.0.0.1:")
    return line.split()[2]


def test_it_tells_its_address_and_ends_quietly_with_ctrl_c(cache_dir: Path) -> None:
    with playground("--port", "0", "--no-browser", cache_dir=cache_dir) as child:
        with urlopen(address(child)) as page:  # noqa: S310  # our own, over http
            assert b"Angel" in page.read()
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=HANG) == ("", "")
        assert child.returncode == 0


def test_it_opens_the_browser_through_a_file_that_only_its_owner_can_read(cache_dir: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    seen = tmp_path / "seen"
    os.mkfifo(seen)
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    with playground("--port", "0", cache_dir=cache_dir, BROWSER=f"{browser} %s") as child:
        page = Path(unquote(urlsplit(seen.read_text().strip()).path))
        assert f"url={address(child)}" in page.read_text()
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=HANG)
    assert not page.exists()


def test_where_no_browser_opens_it_says_so_and_goes_on(cache_dir: Path) -> None:
    with playground("--port", "0", cache_dir=cache_dir, BROWSER="false %s") as child:
        url = address(child)
        assert child.stdout is not None
        assert "Open that address yourself" in child.stdout.readline()
        with urlopen(url) as page:  # noqa: S310  # our own, over http
            assert page.status == 200


def test_a_taken_port_is_one_clear_line(cache_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with playground("--port", str(port), "--no-browser", cache_dir=cache_dir) as child:
            out, err = child.communicate(timeout=HANG)
    assert (child.returncode, out) == (2, "")
    assert err == (
        f"angel: Port {port} is taken by another program. Name another port with --port; 0 is any that is free.\n"
    )


def test_a_model_that_can_not_be_loaded_is_one_clear_line(cache_dir: Path) -> None:
    with playground("--port", "0", "--no-browser", cache_dir=cache_dir, ANGEL_MODEL_URI="/nowhere") as child:
        address(child)
        _, err = child.communicate(timeout=HANG)
    assert child.returncode == 2
    assert err.startswith("angel: No MLflow model could be loaded from /nowhere")
    assert len(err.splitlines()) == 1


def test_a_tab_that_is_closed_prints_nothing(cache_dir: Path) -> None:
    with playground("--port", "0", "--no-browser", cache_dir=cache_dir) as child:
        parts = urlsplit(address(child))
        for cut, read in product((False, True), repeat=2):
            for path in ("page/events", "page/model", "static/main.js"):
                tab = socket.create_connection((parts.hostname or "", parts.port or 0))
                tab.sendall(f"GET {parts.path}{path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
                if read:
                    assert tab.recv(16)
                if cut:  # as a browser that is killed leaves it
                    tab.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                tab.close()
        # What happens now is on its way to the pages that are gone.
        request = Request(  # noqa: S310  # our own, over http
            f"{urlunsplit(parts)}page/do",
            json.dumps({"do": "post", "channel": "C0LOCALTEAM", "text": "Anybody there?"}).encode(),
            {"Content-Type": "application/json", "Origin": f"http://{parts.netloc}"},
        )
        for _ in range(5):
            with urlopen(request) as answer:  # noqa: S310  # our own, over http
                assert answer.status == 200
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=30) == ("", "")
