"""What is done in the Home tab, and what Slack tells of installations that end."""

from bot.slack import wording
from bot.slack.angel import Angel
from bot.slack.buttons import Asked, tone_of
from bot.slack.checking import check
from bot.slack.home import ANY_TONE, HOME_TONE, Home, draft_in, home_view, rules_view, submitted_rules
from bot.slack.in_flight import log
from bot.slack.interaction import Interaction
from bot.slack.places import Nowhere, VerdictModal
from bot.store.owners import Person
from bot.store.terms import StoreUnavailable
from bot.verdict import Tone


async def home_opened(angel: Angel, did: Interaction) -> None:
    """The Home tab is looked at."""
    await did.ack()
    if did.body["event"].get("tab") == "home":
        await angel.in_flight.serve("home", did.trigger_id, Nowhere(), lambda: _publish(angel, did))


async def try_draft(angel: Angel, did: Interaction) -> None:
    """The draft in the box of the Home tab, checked in a modal."""
    await did.ack()
    view = did.view
    assert view is not None
    asked = Asked(draft_in(view))
    modal = VerdictModal(angel.slack, asked)

    async def work() -> str:
        await modal.open(did.trigger_id)
        if not asked.draft.strip():
            await modal.say(wording.NO_DRAFT)
            return "empty"
        tone = (await angel.about(did.person)).choices.tone or Tone.PLAYFUL
        return await check(angel, modal, Asked(asked.draft, tone), "home", did, plain=True)

    await angel.in_flight.serve("home_try", did.trigger_id, modal, work)


async def prefer_tone(angel: Angel, did: Interaction) -> None:
    """The tone of a rewrite where the person names none."""
    await did.ack()

    async def work() -> str:
        if angel.store is None:
            return "nothing"
        tone = None if did.value == ANY_TONE else tone_of(did.value)
        choices = (await angel.about(did.person)).choices
        await angel.store.choices.put_person(did.person, choices.model_copy(update={"tone": tone}))
        return "kept"

    await angel.in_flight.serve(HOME_TONE, did.trigger_id, SaidInAModal(angel, did), work)


async def disconnect(angel: Angel, did: Interaction) -> None:
    """The person's token is revoked and forgotten."""
    await did.ack()

    async def work() -> str:
        if angel.sender is None:
            return "nothing"
        await angel.sender.disconnect(did.person)
        await _publish(angel, did)
        return "disconnected"

    await angel.in_flight.serve("disconnect", did.trigger_id, SaidInAModal(angel, did), work)


async def open_rules(angel: Angel, did: Interaction) -> None:
    """The form for the workspace's rules."""
    await did.ack()

    async def work() -> str:
        if angel.store is None or not await angel.store.tokens.installed_by(did.person):
            return "not_allowed"
        rules = await angel.store.choices.of_workspace(did.person.workspace)
        await angel.slack.open_view(did.trigger_id, rules_view(rules))
        return "opened"

    await angel.in_flight.serve("rules", did.trigger_id, SaidInAModal(angel, did), work)


async def save_rules(angel: Angel, did: Interaction) -> None:
    """What the form says holds from now on."""
    view = did.view
    assert view is not None
    rules = submitted_rules(view)
    await did.ack()

    async def work() -> str:
        if angel.store is None or not await angel.store.tokens.installed_by(did.person):
            return "not_allowed"
        await angel.store.choices.put_workspace(did.person.workspace, rules)
        await _publish(angel, did)
        return "kept"

    await angel.in_flight.serve("rules", did.trigger_id, Nowhere(), work)


async def uninstalled(angel: Angel, did: Interaction) -> None:
    """Slack has ended the installation: nothing is kept of the workspace."""
    await did.ack()

    async def work() -> str:
        if angel.store is not None:
            await angel.store.forget_workspace(did.person.workspace)
        return "forgotten"

    await angel.in_flight.serve("app_uninstalled", did.trigger_id, Nowhere(), work)


async def revoked(angel: Angel, did: Interaction) -> None:
    """Slack has revoked these tokens: they are forgotten."""
    await did.ack()
    tokens = did.body["event"].get("tokens") or {}
    workspace = did.person.workspace

    async def work() -> str:
        if angel.store is None:
            return "nothing"
        for user_id in tokens.get("oauth") or ():
            await angel.store.tokens.forget_person(Person(workspace, str(user_id)))
        if tokens.get("bot"):
            await angel.store.tokens.forget_bot(workspace)
        return "forgotten"

    await angel.in_flight.serve("tokens_revoked", did.trigger_id, Nowhere(), work)


class SaidInAModal:
    """The Home tab has no place for a sentence: what goes wrong there is said in a modal."""

    def __init__(self, angel: Angel, did: Interaction) -> None:
        self._angel = angel
        self._did = did

    async def say(self, sentence: str, *, again: bool = False) -> None:
        modal = VerdictModal(self._angel.slack, Asked(""))
        await modal.open(self._did.trigger_id)
        await modal.say(sentence)


async def _publish(angel: Angel, did: Interaction) -> str:
    person = did.person
    keeps = wording.KEEPS_NOTHING
    if angel.recorder is not None:
        keeps = wording.KEEPS_TEXT if angel.recorder.keeps_text else wording.KEEPS_NUMBERS
    home = Home(reads=angel.model_note, keeps=keeps, has_store=angel.store is not None)
    if angel.store is not None:
        about = await angel.store.about(person)
        link = angel.connect_link(person) if angel.connect_link else ""
        can_connect = about.rules.lets_connect(person.user_id) or about.connected
        try:
            sets_rules = await angel.store.tokens.installed_by(person)
        except StoreUnavailable:
            log("home", "store_unavailable", 0)
            sets_rules = False
        home = Home(
            reads=angel.model_note,
            keeps=keeps,
            has_store=True,
            choices=about.choices,
            rules=about.rules,
            connected=about.connected if can_connect and angel.sender else None,
            link=link,
            may_set_rules=sets_rules,
        )
    await angel.slack.publish_home(person.user_id, home_view(home))
    return "shown"
