"""What the documents promise, held against the code."""

import json
import re
import struct
from pathlib import Path

import pytest

from bot.cli import angel
from bot.health import FIRST_PAUSE, LONGEST_PAUSE
from bot.room import PER_PERSON
from bot.settings import Settings
from bot.slack.http import MAX_BODY
from bot.slack.process import END_SECONDS
from bot.verdict import Fallback
from tests.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
}
EVERYTHING = "\n".join(DOCUMENTS.values())


def test_every_setting_is_documented_for_operators_and_in_the_example() -> None:
    for place in ("docs/operators.md", ".env.example"):
        text = (ROOT / place).read_text(encoding="utf-8")
        assert [name for name in Settings.variables() if not re.search(rf"\b{name}\b", text)] == [], place


def test_the_defaults_in_the_table_of_settings_are_the_codes() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^|`]*?)`? \|", DOCUMENTS["docs/operators.md"], re.MULTILINE))
    plain = {
        str(field.alias): str(field.default).removesuffix(".0")
        for field in Settings.model_fields.values()
        if isinstance(field.default, str | int | float)
    }
    assert {name: rows[name] for name in plain} == plain


def test_every_fallback_is_explained_to_whoever_reads_logs_and_results() -> None:
    for place in ("docs/operators.md", "docs/prompt-owners.md"):
        assert [each for each in Fallback if f"`{each.value}`" not in DOCUMENTS[place]] == [], place


def test_the_bounds_in_the_documents_are_the_codes() -> None:
    text = DOCUMENTS["docs/operators.md"]
    assert f"| one person's checks at once | {PER_PERSON};" in text
    assert f"| a request over HTTP | {MAX_BODY // 1024} kB," in text
    assert f"| the end | {END_SECONDS:g} s after SIGTERM |" in text
    assert f"every {FIRST_PAUSE:g} to {LONGEST_PAUSE:g} seconds" in " ".join(text.split())


def test_no_setting_is_documented_that_nothing_reads() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    named |= set(re.findall(r"\b(?:ANGEL|SLACK)_[A-Z_]+\b", EVERYTHING))
    assert named <= Settings.variables().keys()
    assert json.loads((ROOT / "app.json").read_text())["env"].keys() <= Settings.variables().keys()


def commands(group: object = angel, path: str = "angel") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "invoke_without_command", False):
            found[f"{path} {name}"] = command
        if hasattr(command, "commands"):
            found |= commands(command, f"{path} {name}")
        else:
            found[f"{path} {name}"] = command
    return found


def test_every_command_is_documented() -> None:
    assert [command for command in commands() if command not in EVERYTHING] == []


def test_every_command_and_option_that_the_documents_name_exists() -> None:
    known, unknown = commands(), []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name, text in DOCUMENTS.items():
        # A command is an indented line, or a piece of code in a sentence.
        for command in re.findall(r"(?:^ {4}(?:\$ )?|`)((?:angel|make) (?=[a-zA-Z-])[^`\n#]*)", text, re.MULTILINE):
            if command.startswith("make "):
                target = next(word for word in command.split()[1:] if "=" not in word)
                unknown += [] if target in targets else [f"{name}: {command}"]
                continue
            plain = command.replace("angel -v ", "angel ")
            found = next((known[each] for each in known if re.match(rf"{each}(\s|$)", plain)), None)
            if found is None:
                unknown += [] if re.match(r"angel (--version|--help|COMMAND|model$)", plain) else [f"{name}: {command}"]
                continue
            options = {option for each in getattr(found, "params", []) for option in each.opts} | {"--help"}
            named = set(re.findall(r"\s(--[a-z-]+)", plain))
            unknown += [f"{name}: {command}: {option}" for option in named - options]
    assert unknown == []


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_link_between_the_documents_leads_somewhere() -> None:
    broken = []
    for name, text in DOCUMENTS.items():
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
            path, _, anchor = target.partition("#")
            page = (ROOT / name).parent / path if path else ROOT / name
            if not page.exists() or (anchor and anchor not in anchors(page.read_text(encoding="utf-8"))):
                broken.append(f"{name}: {target}")
    assert broken == []


def test_every_document_is_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+\.md)", DOCUMENTS[page]):
            name = str(((ROOT / page).parent / target).resolve().relative_to(ROOT.resolve()))
            waiting += [name] if name not in reached else []
    assert reached == DOCUMENTS.keys()


def test_every_file_of_ours_that_the_documents_name_exists() -> None:
    missing = []
    for name, text in DOCUMENTS.items():
        for path in re.findall(r"(?<![\w/.])((?:bot|tests|docs)/[\w./*-]*\w(?:\.\w+|/)?)", text):
            if not list(ROOT.glob(path.rstrip("/"))):
                missing.append(f"{name}: {path}")
    assert missing == []


def test_every_room_is_in_the_table_of_rooms() -> None:
    table = DOCUMENTS["docs/architecture.md"].split("## The rooms")[1].split("## The way")[0]
    rooms = [f"bot/{each.name}/" for each in (ROOT / "bot").iterdir() if (each / "__init__.py").exists()]
    files = [f"bot/{each.name}" for each in (ROOT / "bot").glob("*.py") if not each.name.startswith("__")]
    assert [each for each in rooms + files if f"`{each}`" not in table] == []


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_the_icon_is_as_slack_wants_it() -> None:
    picture = (ROOT / "docs" / "icon.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert struct.unpack(">II", picture[16:24]) == (512, 512)  # the header's width and height
    assert len(picture) < 100_000


def test_the_locks_name_no_host() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt", "requirements-setup.txt", "requirements-skinny.txt"):
        text = (ROOT / lock).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


@pytest.mark.parametrize("example", re.findall(r"^ +(?:/angel|\$ angel check) \"?([^\n\"]+)", README, re.MULTILINE))
def test_what_the_readme_has_people_type_first_shows_a_caution_from_the_offline_check(
    example: str, cache_dir: Path
) -> None:
    from bot.model.loading import load_offline
    from bot.verdict import Draft, Label

    verdict = load_offline(cache_dir).check(Draft(text=example))
    assert verdict.label is Label.CAUTION
    assert verdict.rewrite


def test_the_answer_in_the_readme_is_the_one_that_is_given(cache_dir: Path) -> None:
    import io

    from bot.model.loading import load_offline
    from bot.terminal import show
    from bot.verdict import Draft

    asked = re.search(r"^    \$ angel check \"(.+)\"\n((?:    .+\n)+)", README, re.MULTILINE)
    assert asked is not None
    draft, out = Draft(text=asked[1]), io.StringIO()
    show(draft, load_offline(cache_dir).check(draft), offline_note="", out=out)
    shown = " ".join(asked[2].split())
    assert " ".join(out.getvalue().split()).startswith(shown)
