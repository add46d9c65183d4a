"""What people have said before the playground opens: ordinary messages, and a few that sting."""

from dataclasses import dataclass

from bot.local_slack.slack import LocalSlack


@dataclass(frozen=True)
class Said:
    """`minutes` after the message before it; `reply` belongs to the last message that is none."""

    minutes: int
    channel: str
    user: str
    text: str
    reply: bool = False


CONVERSATION = (
    Said(0, "team", "priya", "Morning all! The new sign-up page is live: https://example.com/sign-up"),
    Said(2, "team", "jonas", "Lovely. I signed up twice just to see it again. Nice one, @priya."),
    Said(9, "plans", "maria", "Roadtrip on Saturday! I'm driving, @sam does the playlist, @jonas brings the cake."),
    Said(1, "plans", "jonas", "Cake is under control. The playlist I worry about."),
    Said(11, "quiet", "maria", "Nobody invited Angel into this channel. /angel works here all the same."),
    Said(7, "team", "maria", "@sam, can I have the numbers for Thursday's demo by noon? Last week's are in #plans."),
    Said(4, "team", "priya", "I can bring the slides, 12 of them at most. Promise.", reply=True),
    Said(3, "team", "jonas", "Must be nice to have time for demos.", reply=True),
    Said(16, "dm", "maria", "Is Jonas all right? That sounded a bit sharp."),
    Said(2, "dm", "sam", "Long night with the build, I think. I'll bring him a coffee."),
    Said(6, "team", "sam", "Not sure if you saw my last two messages, but I still need the slides by noon."),
    Said(3, "team", "jonas", "Per my last message, the build comes first today. Somebody has to watch it."),
)


def converse(slack: LocalSlack) -> None:
    """Lets the conversation have happened over the time up to now."""
    places = {"team": slack.channel, "quiet": slack.quiet, "plans": slack.private, "dm": slack.dm}
    people = {user["name"]: user["id"] for user in slack.snapshot()["users"]}
    length = 60 * (1 + sum(said.minutes for said in CONVERSATION))
    slack.clock.advance(-length)
    parent = None
    for said in CONVERSATION:
        slack.clock.advance(60 * said.minutes)
        message = slack.post(
            said.text,
            channel=places[said.channel],
            user=people[said.user],
            thread_ts=parent["ts"] if said.reply and parent else None,
        )
        if not said.reply:
            parent = message
    slack.clock.advance(60)
