"""`make test-busy`: the test run, ten times in a row, beside two processes that take what processor time they can get.

A test that depends on how fast the machine is fails here. What stands after `--` goes to pytest.
"""

import argparse
import subprocess
import sys
import time

BUSY = [sys.executable, "-c", "while True: pass"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--loops", type=int, default=2)
    parser.add_argument("pytest", nargs="*")
    given = parser.parse_args()
    loops = [subprocess.Popen(BUSY) for _ in range(given.loops)]  # noqa: S603 - our own command
    try:
        for run in range(1, given.runs + 1):
            began = time.monotonic()
            done = subprocess.run([sys.executable, "-m", "pytest", *given.pytest], check=False)  # noqa: S603 - the same
            said = "passed" if done.returncode == 0 else f"failed with exit code {done.returncode}"
            sys.stdout.write(f"run {run} of {given.runs} {said} after {time.monotonic() - began:.0f} s\n")
            sys.stdout.flush()
            if done.returncode:
                return done.returncode
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
