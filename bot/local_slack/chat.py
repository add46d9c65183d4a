"""Messages of the app: the `chat.` methods, as the bot user or as a person whose token it has, and response_urls."""

from bot.local_slack.app import APP_ID
from bot.local_slack.checks import utf16_units
from bot.local_slack.clock import Clock
from bot.local_slack.errors import Refused, given, refused_because
from bot.local_slack.events import JSON
from bot.local_slack.grants import ResponseUrl
from bot.local_slack.inputs import with_ids
from bot.local_slack.installations import Token
from bot.local_slack.messages import Messages
from bot.local_slack.surfaces import MAX_TEXT, message_problems, message_too_long
from bot.local_slack.workspaces import Channel, Workspaces

MAX_UPDATED_TEXT = 4_000
"""Characters: https://docs.slack.dev/reference/methods/chat.update, `msg_too_long`."""


class Chat:
    """`edit_seconds` is how long the workspace lets people change what they sent; None is for ever."""

    def __init__(self, workspaces: Workspaces, messages: Messages, clock: Clock) -> None:
        self._workspaces = workspaces
        self._messages = messages
        self._clock = clock
        self.edit_seconds: float | None = None

    def post_message(self, token: Token, args: JSON) -> JSON:
        channel = self._writable(token, args)
        body = checked_message(args, cut=True)
        if thread_ts := args.get("thread_ts"):
            body["thread_ts"] = self._parent(channel, thread_ts)
        message = self._messages.post(channel.id, self._signed(self._author(token, channel), channel.team) | body)
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def post_ephemeral(self, token: Token, args: JSON) -> JSON:
        channel = self._writable(token, args)
        user = args.get("user")
        if user not in self._workspaces.users:
            raise Refused("user_not_found")
        if user not in channel.members:
            raise Refused("user_not_in_channel")
        body = self._signed(self._author(token, channel), channel.team) | checked_message(args)
        return {"message_ts": self._messages.show(str(user), channel.id, body)["ts"]}

    def update(self, token: Token, args: JSON) -> JSON:
        channel, message = self._own(token, args, "cant_update_message")
        if channel.archived:
            raise Refused("is_inactive")
        # https://slack.com/help/articles/202395258: editing can be limited to some minutes, for people.
        sent = float(message["ts"])
        if not token.is_bot and self.edit_seconds is not None and self._clock.now() - sent > self.edit_seconds:
            raise Refused("edit_window_closed")
        body = checked_message(args, most=MAX_UPDATED_TEXT)
        # The method's page: rich text can't be replaced by blocks without any.
        if "blocks" in body and _has_rich_text(message.get("blocks", [])) and not _has_rich_text(body["blocks"]):
            raise Refused("block_mismatch")
        self._check_iteration(token.user, channel.id, message["ts"], args)
        message = self._messages.replace(token.user, channel.id, message["ts"], body)
        return {"channel": channel.id, "ts": message["ts"], "text": message.get("text", ""), "message": message}

    def delete(self, token: Token, args: JSON) -> JSON:
        channel, message = self._own(token, args, "cant_delete_message")
        self._messages.delete(token.user, channel.id, message["ts"])
        return {"channel": channel.id, "ts": message["ts"]}

    def respond(self, grant: ResponseUrl, answer: JSON) -> None:
        """A use of a response_url: a message where the interaction was, or a change of the one it came from.

        Raises Refused. Only the URL that a button's press brought has an original to replace: that of a command or a
        shortcut posts another message (slackapi/bolt-python#1268, slackapi/bolt-js#2287).
        """
        try:
            if answer.get("delete_original"):
                self._messages.delete(grant.user, grant.channel, grant.original or "")
                return
            body = checked_message(answer, cut=True)
            if answer.get("replace_original") and grant.original:
                self._check_iteration(grant.user, grant.channel, grant.original, answer)
                self._messages.replace(grant.user, grant.channel, grant.original, body)
                return
        except KeyError:
            raise Refused("message_not_found") from None
        self._answer(grant.user, self._workspaces.channels[grant.channel], answer, body)

    def show_ack(self, user: str, channel: str, answer: JSON) -> None:
        """What the ack of a command says: a message, and no use of its response_url. Raises Refused."""
        self._answer(user, self._workspaces.channels[channel], answer, checked_message(answer, cut=True))

    def _answer(self, user: str, channel: Channel, answer: JSON, body: JSON) -> None:
        body = self._signed(self._workspaces.bot(channel.team), channel.team) | body
        if answer.get("response_type", "ephemeral") == "in_channel":
            # Only such an answer can stand in a thread (slack-go/slack#1309).
            thread = {"thread_ts": answer["thread_ts"]} if answer.get("thread_ts") else {}
            self._messages.post(channel.id, body | thread)
        else:
            self._messages.show(user, channel.id, body)

    def _check_iteration(self, user: str, channel: str, ts: str, args: JSON) -> None:
        """Raises Refused for a block_id of the message as it was, and KeyError where it is gone.

        https://docs.slack.dev/reference/block-kit/blocks: "If a message is updated, use a new block_id." It leaves open
        what becomes of one that stays.
        """
        message, _ = self._messages.find(user, channel, ts)
        before = {block["block_id"] for block in message.get("blocks", [])}
        if again := [block["block_id"] for block in args.get("blocks") or [] if block.get("block_id") in before]:
            problems = [
                f"`block_id` was in the message before: {block_id} [json-pointer:/blocks]" for block_id in again
            ]
            raise refused_because("invalid_blocks", problems)

    def _signed(self, user: str, team: str) -> JSON:
        """Who sent it. What an app sends as a person says which app, too."""
        return {"user": user, "bot_id": self._workspaces.bot_id(team), "app_id": APP_ID}

    def _writable(self, token: Token, args: JSON) -> Channel:
        """The place, if whom the token acts as may write there. Raises Refused."""
        name = str(given(args, "channel"))
        if token.is_bot and name in self._workspaces.users:
            name = self._workspaces.direct(name)
        channel = self._channel(token, name)
        if self._author(token, channel) not in channel.members:
            raise Refused("not_in_channel" if channel.kind == "channel" else "channel_not_found")
        if channel.archived:
            raise Refused("is_archived")
        return channel

    def _author(self, token: Token, channel: Channel) -> str:
        return self._workspaces.bot(channel.team) if token.is_bot else token.user

    def _channel(self, token: Token, name: str) -> Channel:
        channel = self._workspaces.channels.get(name)
        if channel is None or not (token.org_wide or channel.team == token.team):
            raise Refused("channel_not_found")
        return channel

    def _parent(self, channel: Channel, ts: object) -> str:
        """The method's page: "Avoid using a reply's `ts`". What becomes of one it does not say; here it is refused."""
        parent = self._messages.posted[channel.id].get(str(ts))
        if parent is None or parent.get("thread_ts", ts) != ts:
            raise Refused("cannot_reply_to_message")
        return str(ts)

    def _own(self, token: Token, args: JSON, code: str) -> tuple[Channel, JSON]:
        """The place and the message of whom the token acts as. An ephemeral one is not to be found this way."""
        channel = self._channel(token, str(given(args, "channel")))
        author = self._author(token, channel)
        if author not in channel.members and channel.kind != "channel":
            raise Refused("channel_not_found")
        message = self._messages.posted[channel.id].get(str(given(args, "ts")))
        if message is None:
            raise Refused("message_not_found")
        if message.get("user") != author:
            raise Refused(code)
        return channel, message


def checked_message(args: JSON, *, most: int = MAX_TEXT, cut: bool = False) -> JSON:
    """`text` and `blocks`; with `cut` a text that is too long is cut off. Raises Refused."""
    text, blocks = args.get("text") or "", args.get("blocks") or []
    if not isinstance(text, str):
        raise Refused("invalid_arguments")
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if not text and not blocks:
        raise Refused("no_text")
    if utf16_units(text) > most:
        if not cut:
            raise Refused("msg_too_long")
        text = text[:most]
    if problems := message_problems(blocks):
        raise refused_because("invalid_blocks", problems)
    if message_too_long(blocks):
        raise Refused("msg_blocks_too_long")
    return {"text": text} | ({"blocks": with_ids(blocks)} if blocks else {})


def _has_rich_text(blocks: list[JSON]) -> bool:
    return any(block["type"] == "rich_text" for block in blocks)
