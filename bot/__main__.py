"""`angel`, and `python -m bot` where the package is not installed."""

import sys


def main() -> None:
    """The `angel` command. Its parts take a third of a second to import, in which Ctrl-C is as quiet as later."""
    try:
        from bot.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
