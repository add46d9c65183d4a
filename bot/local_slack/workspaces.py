"""Two workspaces: their people and places. Every id belongs to one of them, so that an id alone says which."""

from dataclasses import dataclass, replace

from bot.local_slack.app import App
from bot.local_slack.events import JSON, Events


@dataclass(frozen=True)
class Team:
    """A workspace; Slack's payloads call it a team."""

    id: str
    name: str
    domain: str


@dataclass(frozen=True)
class User:
    id: str
    name: str
    real_name: str
    team: str
    is_bot: bool = False


@dataclass(frozen=True)
class Channel:
    """`kind` is channel, group (a private channel) or im (a direct message)."""

    id: str
    name: str
    kind: str
    team: str
    members: frozenset[str]
    archived: bool = False

    @property
    def payload_name(self) -> str:
        """What a payload calls it: apps don't learn the names of private places from one."""
        return {"group": "privategroup", "im": "directmessage"}.get(self.kind, self.name)

    def as_json(self) -> JSON:
        return {**vars(self), "members": sorted(self.members)}


FIRST = Team("T0LOCAL", "Local Slack", "local-slack")
SECOND = Team("T0SECOND", "Second Slack", "second-slack")
ENTERPRISE = {"id": "E0LOCAL", "name": "Local Org"}
"""To which both belong where the app is deployed to an organization."""

_PEOPLE = (
    User("U0LOCALSAM", "sam", "Sam Rivera", FIRST.id),
    User("U0LOCALMARIA", "maria", "Maria Okafor", FIRST.id),
    User("U0LOCALPRIYA", "priya", "Priya Nair", FIRST.id),
    User("U0LOCALJONAS", "jonas", "Jonas Weber", FIRST.id),
    User("U0SECONDNIA", "nia", "Nia Lindqvist", SECOND.id),
    User("U0SECONDTOM", "tom", "Tom Brandt", SECOND.id),
)


class Workspaces:
    """Who and what there is. The app's bot user is a member of the first channel of each workspace and of no other."""

    def __init__(self, app: App, events: Events) -> None:
        self._events = events
        self.teams = {team.id: team for team in (FIRST, SECOND)}
        bots = [User(self.bot(team), app.bot_name, app.name, team, is_bot=True) for team in self.teams]
        self.users = {user.id: user for user in (*_PEOPLE, *bots)}
        first, second = self._people(FIRST.id), self._people(SECOND.id)
        two = frozenset({_PEOPLE[0].id, _PEOPLE[1].id})
        channels = (
            Channel("C0LOCALTEAM", "team", "channel", FIRST.id, first | {self.bot(FIRST.id)}),
            Channel("C0LOCALQUIET", "quiet", "channel", FIRST.id, first),
            Channel("G0LOCALPLANS", "plans", "group", FIRST.id, first),
            Channel("D0LOCALMARIA", "maria", "im", FIRST.id, two),
            Channel("C0LOCALELSEWHERE", "elsewhere", "channel", FIRST.id, first - {_PEOPLE[0].id}),
            Channel("C0SECONDTEAM", "general", "channel", SECOND.id, second | {self.bot(SECOND.id)}),
        )
        self.channels = {channel.id: channel for channel in channels}

    @staticmethod
    def bot(team: str) -> str:
        """The user that the app is in a workspace."""
        return f"U{team[1:]}BOT"

    @staticmethod
    def bot_id(team: str) -> str:
        return f"B{team[1:]}BOT"

    def home_channel(self, team: str) -> str:
        """The channel that the app is in."""
        return next(channel.id for channel in self.channels.values() if channel.team == team)

    def direct(self, user: str) -> str:
        """The direct messages of `user` with the app, begun if need be."""
        channel = f"D0APP{user[1:]}"
        if channel not in self.channels:
            team = self.users[user].team
            bot = self.users[self.bot(team)]
            self.channels[channel] = Channel(channel, bot.name, "im", team, frozenset({user, bot.id}))
            self._events.emit("channel", channel=self.channels[channel].as_json())
        return channel

    def archive(self, channel: str) -> None:
        self.channels[channel] = replace(self.channels[channel], archived=True)
        self._events.emit("channel", channel=self.channels[channel].as_json())

    def _people(self, team: str) -> frozenset[str]:
        return frozenset(user.id for user in _PEOPLE if user.team == team)
