"""What phrasebook.yml holds: entries, the reason why each may sting, and how to say the same without."""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.verdict import Category, Tone


class Entry(BaseModel):
    """Phrases that sting for the same reason. Without `replace` or `drop` there is no honest rewrite, only a tip.

    A replacement stands for a whole sentence, and only where its phrase is one; with `inside`, for a part of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patterns: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    category: Category
    reason: str
    replace: str | None = None
    tones: dict[Tone, str] = {}
    inside: bool = False
    drop: Literal["words", "sentence"] | None = None
    tip: str | None = None
    examples: tuple[str, ...] = Field(min_length=1)
    lookalikes: tuple[str, ...] = Field(default=(), alias="not")

    @property
    def part_of_a_sentence(self) -> bool:
        """Whether its rewrite leaves the rest of the sentence as it is."""
        return self.inside or self.drop == "words"

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        if self.drop and (self.replace or self.tones):
            raise ValueError(f"{self.patterns[0]}: either `drop` or `replace`, not both")
        return self


class Harmless(BaseModel):
    """Harmless words that hold a rude one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patterns: tuple[str, ...] = Field(min_length=1)
    examples: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Barb:
    """An entry that a text matches from `start` to `end`; `groups` are the pattern's, as they stand in the text."""

    start: int
    end: int
    entry: Entry
    groups: dict[str, str]
