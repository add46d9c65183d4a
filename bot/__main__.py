"""`python -m bot` is `angel`, without an installed package."""

from bot.cli import main

main()
