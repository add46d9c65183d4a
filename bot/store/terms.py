"""The words in which the store is spoken of. They import no database: a worker without a store needs none in memory."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import AngelError, SettingsError
from bot.verdict import Tone

SEND_SCOPE = "chat:write"
"""What a person's token has to be for, to send as them."""


HOUSE_STYLE_CHARACTERS = 300


class PersonsChoices(BaseModel):
    """What one person chose. What another version of Angel wrote is read as far as it goes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tone: Tone | None = None
    """The tone of a rewrite where the person names none; None is Angel's own default."""
    hides_connect: bool = False
    """They said "not now" to connecting, for good."""


class WorkspaceRules(BaseModel):
    """What an admin decided for the workspace."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    allowed_channels: tuple[str, ...] = ()
    """Ids of conversations; where there are any, Angel answers only in them."""
    denied_channels: tuple[str, ...] = ()
    allowed_people: tuple[str, ...] = ()
    denied_people: tuple[str, ...] = ()
    house_style: str = Field(default="", max_length=HOUSE_STYLE_CHARACTERS)
    """A line that goes to the model with each draft."""
    may_connect: Literal["everyone", "allowed", "nobody"] = "everyone"
    """Who may let Angel send as them; "allowed" are those in `connecting_people`."""
    connecting_people: tuple[str, ...] = ()
    about: str = Field(default="", max_length=1_000)
    """What the admin tells people about the model, its provider and what is kept."""

    def admits(self, *, channel_id: str | None, user_id: str) -> bool:
        """Whether Angel may answer this person there. A channel that isn't known is not among the allowed ones."""
        if user_id in self.denied_people or (self.allowed_people and user_id not in self.allowed_people):
            return False
        if channel_id is None:
            return True
        return channel_id not in self.denied_channels and (
            not self.allowed_channels or channel_id in self.allowed_channels
        )

    def lets_connect(self, user_id: str) -> bool:
        return self.may_connect == "everyone" or (self.may_connect == "allowed" and user_id in self.connecting_people)


@dataclass(frozen=True)
class About:
    """What the store knows of a person when they use Angel."""

    rules: WorkspaceRules = field(default_factory=WorkspaceRules)
    choices: PersonsChoices = field(default_factory=PersonsChoices)
    connected: bool = False


class SendState(StrEnum):
    SENDING = "sending"
    """Slack was asked. Where it stays so, nobody knows whether the message is out: it is not sent again."""
    SENT = "sent"


class StoreUnavailable(AngelError):
    """The store did not answer, or not in time. What needs no store goes on without it."""


class WrongKey(SettingsError):
    """Something was encrypted with a key that is not among ours."""
