"""The layers, as pyproject.toml has them."""

import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT


def test_the_layers_hold() -> None:
    command = [
        str(Path(sys.executable).with_name("lint-imports")),
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)  # noqa: S603 - ours
    assert result.returncode == 0, result.stdout + result.stderr
