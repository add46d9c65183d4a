"""`angel`, and `python -m bot` where the package is not installed."""

import sys


def main() -> None:
    """The `angel` command. Its parts take a third of a second to import, in which Ctrl-C is as quiet as later."""
    try:
        from bot.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    except ImportError as error:
        sys.exit(_not_installed(error))
    command()


def _not_installed(error: ImportError) -> int:
    """Python's own exit code would be 1, which means a caution."""
    sys.stderr.write(f"angel: {error}. Are the packages of requirements.txt installed?\n")
    return 2


if __name__ == "__main__":
    main()
