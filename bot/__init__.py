"""Text Message Angel: reads a message before it goes out."""

__version__ = "0.1.0"
