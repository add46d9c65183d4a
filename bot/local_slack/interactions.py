"""What a person does in the local Slack, and the payloads that the app gets of it."""

import asyncio
import copy
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.local_slack.acks import Acks
from bot.local_slack.chat import Chat
from bot.local_slack.clock import Clock
from bot.local_slack.delivery import Deliveries, Delivery
from bot.local_slack.errors import NotOffered, Refused
from bot.local_slack.events import JSON
from bot.local_slack.faults import Faults
from bot.local_slack.grants import Grants
from bot.local_slack.http import Http
from bot.local_slack.installations import Installations
from bot.local_slack.oauth import OAuth
from bot.local_slack.payloads import (
    Typed,
    action,
    bare,
    command_form,
    common,
    component,
    escaped,
    event_callback,
    message_state,
    remember,
)
from bot.local_slack.seen import Seen
from bot.local_slack.socket_mode import SocketMode
from bot.local_slack.views import View
from bot.local_slack.workspaces import Channel, User

AUTHORIZE_PATH = "/oauth/v2/authorize"


class Interactions(Seen):
    """Each returns a Delivery once the app has acked, or has failed to."""

    def __init__(self, *, manifest: Mapping[str, Any] | None = None, clock: Clock | None = None) -> None:
        super().__init__(manifest=manifest, clock=clock)
        self.url = ""
        self.run = secrets.token_urlsafe(24)
        """What the address of every page of this run has in it, so that nobody else on this machine can open them."""
        self.signing_secret = secrets.token_hex(16)
        self._faults = Faults()
        self._http = Http(self.signing_secret)
        self._socket_mode = SocketMode(self._events, self._faults)
        self._deliveries = Deliveries(self.clock, self._events, self._http, self._socket_mode)
        self._grants = Grants(self.clock)
        self._chat = Chat(self._workspaces, self._messages, self.clock)
        self._acks = Acks(self._chat, self._views)
        self._installations = Installations(self._app, self._workspaces, self.clock)
        self._oauth = OAuth(self._app, self._workspaces, self._installations, self.clock)
        self._telling: set[asyncio.Task[Delivery | None]] = set()

    def post(
        self,
        text: str,
        *,
        channel: str | None = None,
        user: str | None = None,
        thread_ts: str | None = None,
        **fields: Any,
    ) -> JSON:
        """A message of a person. `fields` are further ones of Slack's message object, or others' values of them."""
        who = self._who(user)
        typed = self._typed(text, who.team)
        message: JSON = {
            "user": who.id,
            "text": typed.mrkdwn(labels=False),
            "blocks": [
                {
                    "type": "rich_text",
                    "block_id": "typed",
                    "elements": [{"type": "rich_text_section", "elements": typed.parts()}],
                }
            ],
        }
        if thread_ts:
            message["thread_ts"] = thread_ts
        return copy.deepcopy(self._messages.post(channel or self.channel, message | fields))

    async def command(
        self, command: str, text: str = "", *, channel: str | None = None, user: str | None = None
    ) -> Delivery:
        who = self._who(user)
        where = self._workspaces.channels[channel or self._workspaces.home_channel(who.team)]
        offered = self._app.command(command)
        if offered is None:
            raise NotOffered(f"{command} is not a command of the app")
        self._can_be_used(who, where)
        if offered.get("should_escape"):
            text = self._typed(text.strip(), who.team).mrkdwn(labels=True)
        else:
            text = escaped(text.strip())
        team, org_wide = self._workspaces.teams[who.team], self._installations.org_wide(who.team)
        payload = command_form(command, text, who, where, team, org_wide=org_wide)
        payload |= self._grant(who, where.id)
        return await self._deliver(Delivery("slash_commands", payload, who.id, command, where.id))

    async def global_shortcut(self, callback_id: str, *, user: str | None = None) -> Delivery:
        who = self._who(user)
        self._shortcut_is_offered(callback_id, "global")
        self._can_be_used(who)
        payload = self._common(who) | {
            "type": "shortcut",
            "action_ts": self._messages.ts(),
            "callback_id": callback_id,
            "trigger_id": self._grants.trigger(who.id),
        }
        return await self._deliver(Delivery("shortcut", payload, who.id, callback_id))

    async def message_shortcut(self, callback_id: str, message: JSON, *, user: str | None = None) -> Delivery:
        who = self._who(user)
        self._shortcut_is_offered(callback_id, "message")
        where = self._workspaces.channels[message["channel"]]
        self._can_be_used(who, where)
        posted = self._messages.posted[where.id].get(message["ts"])
        if posted is None:
            raise NotOffered("a shortcut is for messages that were sent, and not for those only one person sees")
        payload = self._common(who) | {
            "type": "message_action",
            "action_ts": self._messages.ts(),
            "callback_id": callback_id,
            "channel": {"id": where.id, "name": where.payload_name},
            "message_ts": posted["ts"],
            "message": bare(posted),
            **self._grant(who, where.id),
        }
        return await self._deliver(Delivery("message_action", payload, who.id, callback_id, where.id))

    async def press(self, where: JSON, action_id: str, value: Any = None, *, user: str | None = None) -> Delivery:
        if where["type"] in ("modal", "home"):
            return await self._press_in_view(where, action_id, value, user)
        who = self._who(user or where.get("seen_by"))
        channel = self._workspaces.channels[where["channel"]]
        self._can_be_used(who, channel)
        try:
            message, ephemeral = self._messages.find(who.id, channel.id, where["ts"])
        except KeyError:
            raise NotOffered("the message is gone") from None
        blocks = message.get("blocks", [])
        block, element = component(blocks, action_id, value)
        did = self._action(block, element, value)
        remember(self._messages.picked[message["ts"]], block, element, did)
        container = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        payload = self._common(who) | {
            "type": "block_actions",
            "container": container,
            "channel": {"id": channel.id, "name": channel.payload_name},
            "state": message_state(blocks, self._messages.picked[message["ts"]]),
            "actions": [did],
            **self._grant(who, channel.id, message["ts"]),
        }
        if not ephemeral:
            # Slack does not keep what only one person sees, and so sends none of it back.
            payload["message"] = bare(message)
        return await self._deliver(Delivery("block_actions", payload, who.id, action_id, channel.id))

    async def _press_in_view(self, where: JSON, action_id: str, value: Any, user: str | None) -> Delivery:
        view = self._view(where, user)
        who = self._who(view.user)
        self._can_be_used(who)
        block, element = component(view.json["blocks"], action_id, value)
        did = self._action(block, element, value)
        remember(view.typed, block, element, did)
        payload = self._common(who) | {
            "type": "block_actions",
            "container": {"type": "view", "view_id": view.json["id"]},
            "trigger_id": self._grants.trigger(who.id, view.channel),
            "view": view.as_json(),
            "actions": [did],
        }
        return await self._deliver(Delivery("block_actions", payload, who.id, action_id, view.channel))

    def fill(self, view: JSON, values: Mapping[str, Any]) -> None:
        """Types or picks: `{action_id: text, option value, id, or list of ids}`."""
        found = self._view(view)
        team = self._who(found.user).team
        channels, users = self._choices(team)
        found.fill(values, channels, users)
        self._views.changed(found)

    async def submit(self, view: JSON, values: Mapping[str, Any] | None = None, *, user: str | None = None) -> Delivery:
        found = self._view(view, user)
        who = self._who(found.user)
        self.fill(view, values or {})
        found.submittable()
        found.errors = {}
        payload = self._common(who) | {
            "type": "view_submission",
            "trigger_id": self._grants.trigger(who.id, found.channel),
            "view": found.as_json(),
            "response_urls": self._response_urls(who, found),
        }
        about = found.json["callback_id"]
        return await self._deliver(Delivery("view_submission", payload, who.id, about, found.channel))

    async def close(self, view: JSON, *, user: str | None = None) -> Delivery | None:
        """None where the view did not ask to hear of it."""
        found = self._view(view, user)
        who = self._who(found.user)
        self._views.close(found)
        if not found.json["notify_on_close"]:
            return None
        payload = self._common(who) | {
            "type": "view_closed",
            "view": found.as_json(),
            "is_cleared": found.json["clear_on_close"],
        }
        return await self._deliver(Delivery("view_closed", payload, who.id, found.json["callback_id"], found.channel))

    async def open_home(self, *, user: str | None = None, tab: str = "home") -> Delivery | None:
        """The app's Home tab (or its `messages`). None where the app did not ask to hear of it."""
        who = self._who(user)
        if not self._app.has_home:
            raise NotOffered("the app has no Home tab")
        self._can_be_used(who)
        home = self._views.homes.get(who.id)
        event = {
            "type": "app_home_opened",
            "user": who.id,
            "channel": self._workspaces.direct(who.id),
            "event_ts": self._messages.ts(),
            "tab": tab,
            **({"view": home.as_json()} if home and tab == "home" else {}),
        }
        return await self._tell(who.team, who.id, event)

    async def authorize(self, url: str, *, user: str | None = None, allow: bool = True, org_wide: bool = False) -> str:
        """Presses Allow or Cancel on the page where the app asks. Returns the app's address that Slack sends them to.

        Raises NotOffered with what the page says instead.
        """
        parts = urlsplit(url)
        if not url.startswith(self.authorize_url):
            raise NotOffered("oauth_authorization_url_mismatch: that is another page")
        request = self._oauth.request(dict(parse_qsl(parts.query)))
        return self._oauth.allow(request, self._who(user).id, org_wide=org_wide) if allow else self._oauth.deny(request)

    @property
    def pages(self) -> str:
        """What a person opens is below this."""
        return f"/{self.run}"

    @property
    def authorize_url(self) -> str:
        return f"{self.url}{AUTHORIZE_PATH}"

    async def redeliver(
        self, delivery: Delivery, *, timestamp: float | None = None, secret: str | None = None
    ) -> Delivery:
        again = Delivery(delivery.kind, delivery.payload, delivery.user, delivery.about, delivery.channel)
        return await self._deliver(again, timestamp=timestamp, secret=secret, again=True)

    # What Slack tells the app

    async def _tell(self, team: str, user: str, event: JSON, *, org_wide: bool | None = None) -> Delivery | None:
        """An event, a second time where it is not acked: https://docs.slack.dev/apis/events-api#retries

        Of the three times that Slack tries it again, those after a minute and after five are left out.
        """
        if not self._app.hears_of(event["type"]):
            return None
        payload = event_callback(
            event,
            self._workspaces.teams[team],
            self._workspaces.bot(team),
            self.clock.now(),
            org_wide=self._installations.org_wide(team) if org_wide is None else org_wide,
        )
        delivery = await self._deliver(Delivery("events_api", payload, user, event["type"]))
        if not delivery.acked and delivery.error != "dispatch_failed":
            return await self.redeliver(delivery)
        return delivery

    def _tell_beside(self, team: str, event: JSON, org_wide: bool) -> None:
        """Beside whatever it comes of, which does not wait for the app to hear of it."""
        task = asyncio.ensure_future(self._tell(team, self._workspaces.bot(team), event, org_wide=org_wide))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _deliver(self, delivery: Delivery, **how: Any) -> Delivery:
        delivery.payload = copy.deepcopy(delivery.payload)
        await self._deliveries.send(delivery, **how)
        if delivery.error is None:
            try:
                self._acks.honour(delivery)
            except Refused as refused:
                slash = delivery.kind == "slash_commands"
                delivery.error = "invalid_command_response" if slash else f"invalid_view_response: {refused.code}"
        # Nobody waits for an event, and so nobody is told.
        if delivery.error is not None and delivery.kind != "events_api":
            self._notice(delivery.user, delivery.channel, delivery.error, delivery.about)
        return delivery

    # Parts of payloads

    def _who(self, user: str | None) -> User:
        return self._workspaces.users[user or self.user]

    def _common(self, who: User) -> JSON:
        return common(who, self._workspaces.teams[who.team], org_wide=self._installations.org_wide(who.team))

    def _typed(self, text: str, team: str) -> Typed:
        users = [user for user in self._workspaces.users.values() if user.team == team]
        return Typed(text, users, [each for each in self._workspaces.channels.values() if each.team == team])

    def _choices(self, team: str) -> tuple[set[str], set[str]]:
        """The channels and the people that can be picked there."""
        return (
            {channel.id for channel in self._workspaces.channels.values() if channel.team == team},
            {user.id for user in self._workspaces.users.values() if user.team == team},
        )

    def _action(self, block: JSON, element: JSON, value: Any) -> JSON:
        ids = (self._workspaces.channels.keys(), self._workspaces.users.keys())
        return action(block, element, value, *ids, self._messages.ts())

    def _can_be_used(self, who: User, where: Channel | None = None) -> None:
        """Raises NotOffered."""
        if not self._installations.installed(who.team):
            raise NotOffered("the app is not installed in this workspace")
        if where and where.archived:
            raise NotOffered("the channel is archived")

    def _shortcut_is_offered(self, callback_id: str, kind: str) -> None:
        if not self._app.has_shortcut(callback_id, kind):
            raise NotOffered(f"{callback_id} is not a {kind} shortcut of the app")

    def _grant(self, who: User, channel: str, original: str | None = None) -> JSON:
        return {
            "response_url": self._response_url(who, channel, original),
            "trigger_id": self._grants.trigger(who.id, channel),
        }

    def _response_url(self, who: User, channel: str, original: str | None = None) -> str:
        return f"{self.url}/actions/{who.team}/{self._grants.response_url(who.id, channel, original)}"

    def _response_urls(self, who: User, view: View) -> list[JSON]:
        return [
            {**chosen, "response_url": self._response_url(who, chosen["channel_id"])}
            for chosen in view.response_channels()
        ]
