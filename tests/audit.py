"""`make audit`: whether a known hole is in a package that a requirements file names.

pip-audit looks each of them up at the package index. Its own exit code is 0 where the index doesn't have its list of
holes, as a company's mirror may not; here that is said, and is no pass.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLEAN, HOLES, NOT_ASKED = 0, 1, 2


@dataclass(frozen=True)
class Audit:
    """What pip-audit found out: `holes` in a line each, and how many packages were looked up, or could not be."""

    holes: list[str]
    looked_up: int
    not_looked_up: int

    @classmethod
    def of(cls, report: dict[str, Any]) -> "Audit":
        """From pip-audit's JSON."""
        packages = report["dependencies"]
        skipped = [package for package in packages if "skip_reason" in package]
        holes = []
        for package in packages:
            for hole in package.get("vulns", ()):
                mended = ", ".join(hole["fix_versions"]) or "no version"
                holes.append(f"{package['name']} {package['version']}: {hole['id']}, fixed in {mended}")
        return cls(holes, len(packages) - len(skipped), len(skipped))

    @property
    def code(self) -> int:
        if self.holes:
            return HOLES
        return NOT_ASKED if self.not_looked_up else CLEAN

    def lines(self) -> list[str]:
        if self.looked_up == 0:
            return ["The package index that is set up here doesn't have the list of known holes: nothing was audited."]
        told = [*self.holes, f"{self.looked_up} packages looked up, {len(self.holes)} known holes."]
        if self.not_looked_up:
            told.append(f"{self.not_looked_up} packages could not be looked up.")
        return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", type=Path)
    requirements = parser.parse_args().requirements
    asked = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--disable-pip",
         "--require-hashes", "--requirement", str(requirements)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        audit = Audit.of(json.loads(asked.stdout))
    except json.JSONDecodeError:
        last = asked.stderr.strip().splitlines() or ["it said nothing"]
        sys.stderr.write(f"The list of known holes can't be asked from here: nothing was audited. ({last[-1]})\n")
        return NOT_ASKED
    sys.stdout.write("\n".join(audit.lines()) + "\n")
    return audit.code


if __name__ == "__main__":
    sys.exit(main())
