import pytest

from bot.local_slack.payloads import Typed
from bot.local_slack.workspaces import Channel, User

USERS = [User("U1", "maria", "Maria", "T1"), User("U2", "j.doe", "J", "T1")]
CHANNELS = [Channel("C1", "general", "channel", "T1", frozenset()), Channel("D1", "maria", "im", "T1", frozenset())]


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("plain", "plain"),
        ("a < b & b > c", "a &lt; b &amp; b &gt; c"),
        ("&amp;", "&amp;amp;"),
        ("@maria, @j.doe. @nobody", "<@U1|maria>, <@U2|j.doe>. @nobody"),
        ("(@maria) mail@maria", "(<@U1|maria>) mail@maria"),
        ("see #general, not #maria", "see <#C1|general>, not #maria"),
        ("@here @channel!", "<!here> <!channel>!"),
        ("https://x.io/?a=1&b=2.", "<https://x.io/?a=1&amp;b=2>."),
        ("<@U1>", "&lt;@U1&gt;"),
        ("`@maria`\nsecond", "`<@U1|maria>`\nsecond"),
        ("", ""),
    ],
)
def test_typed_text_is_escaped_as_slack_escapes_a_commands(typed: str, written: str) -> None:
    assert Typed(typed, USERS, CHANNELS).mrkdwn(labels=True) == written


def test_the_text_of_a_message_names_people_by_id_alone() -> None:
    assert Typed("@maria #general", USERS, CHANNELS).mrkdwn(labels=False) == "<@U1> <#C1|general>"


def test_the_composer_makes_rich_text_of_it() -> None:
    assert Typed("hi @maria <3", USERS, CHANNELS).parts() == [
        {"type": "text", "text": "hi "},
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " <3"},
    ]
