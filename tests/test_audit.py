"""What `make audit` makes of pip-audit's report. The reports are in the form that pip-audit documents for its JSON."""

import subprocess
import sys
from pathlib import Path

from tests.audit import CLEAN, HOLES, NOT_ASKED, Audit
from tests.processes import ROOT

SAFE = {"name": "click", "version": "8.3.0", "vulns": []}
SKIPPED = {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)"}
HOLED = {
    "name": "flask",
    "version": "0.5",
    "vulns": [
        {"id": "PYSEC-2019-179", "fix_versions": ["1.0"], "aliases": [], "description": "Memory."},
        {"id": "PYSEC-2018-66", "fix_versions": [], "aliases": [], "description": "More."},
    ],
}


def test_all_packages_without_a_known_hole_are_a_pass() -> None:
    audit = Audit.of({"dependencies": [SAFE]})
    assert audit.code == CLEAN
    assert audit.lines() == ["1 packages looked up, 0 known holes."]


def test_each_hole_is_named_with_the_version_that_mends_it() -> None:
    audit = Audit.of({"dependencies": [SAFE, HOLED, SKIPPED]})
    assert audit.code == HOLES
    assert audit.lines() == [
        "flask 0.5: PYSEC-2019-179, fixed in 1.0",
        "flask 0.5: PYSEC-2018-66, fixed in no version",
        "2 packages looked up, 2 known holes.",
        "1 packages could not be looked up.",
    ]


def test_what_could_not_be_looked_up_is_no_pass() -> None:
    assert Audit.of({"dependencies": [SAFE, SKIPPED]}).code == NOT_ASKED
    nothing = Audit.of({"dependencies": [SKIPPED, SKIPPED]})
    assert nothing.code == NOT_ASKED
    assert nothing.lines()[0].endswith("nothing was audited.")


def test_an_index_that_cannot_be_asked_is_one_line(tmp_path: Path) -> None:
    """The list of requirements holds a package with a hash; its index is a port where nothing listens."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"click==8.3.0 --hash=sha256:{'0' * 64}\n")
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.audit", str(requirements)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"HTTPS_PROXY": "http://127.0.0.1:9", "PATH": ""},
    )  # fmt: skip
    assert done.returncode == NOT_ASKED
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "nothing was audited" in done.stderr
