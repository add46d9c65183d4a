"""What the README and the files beside it promise."""

import json
import re

import pytest

from bot.cli import angel
from bot.settings import Settings
from tests.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", Settings.variables())
@pytest.mark.parametrize("place", ["README.md", ".env.example"])
def test_every_variable_is_documented(variable: str, place: str) -> None:
    assert re.search(rf"\b{variable}\b", (ROOT / place).read_text(encoding="utf-8"))


def test_no_variable_is_documented_that_nothing_reads() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= Settings.variables().keys()
    assert json.loads((ROOT / "app.json").read_text())["env"].keys() <= Settings.variables().keys()


def commands(group: object = angel, path: str = "angel") -> list[str]:
    found = []
    for name, command in getattr(group, "commands", {}).items():
        found += [f"{path} {name}"] if not hasattr(command, "commands") else commands(command, f"{path} {name}")
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert command in README


def test_every_command_in_the_readme_exists() -> None:
    known = commands()
    for mentioned in re.findall(r"^(?:\$ )?angel ((?:model )?[a-z]+)", README, re.MULTILINE):
        assert f"angel {mentioned}" in known
    for target in re.findall(r"^make ([a-z]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", re.findall(r"\]\((?!https?:|#)([^)#]+)", README))
def test_every_link_to_a_file_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_locks_name_no_host() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / lock).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
