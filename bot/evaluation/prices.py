"""What chat models cost."""

from collections.abc import Mapping
from typing import NamedTuple


class Price(NamedTuple):
    """US dollars for a million tokens."""

    input: float
    output: float


PRICES: Mapping[str, Price] = {
    "gpt-5.4": Price(2.50, 15.00),
    "gpt-5.4-mini": Price(0.75, 4.50),
    "gpt-5.4-nano": Price(0.20, 1.25),
}
"""OpenAI's standard tier without the discount for cached input, so rather too much than too little.

As given by developers.openai.com/api/docs/pricing in May 2026 and still by GitHub's table of model prices
(docs.github.com, models and pricing) after GPT-5.6 came out. Any other model's cost is unknown, not guessed.
"""
