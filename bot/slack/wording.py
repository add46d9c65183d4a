"""Every sentence that a person reads in Slack: to make Angel kinder, or to translate it, change this file.

Left to other files are the two sentences of a verdict and why a draft is rejected, since the terminal says them too
(`bot/verdict.py`), and the names in the menus, which Slack reads from `manifest.yml`. Names that end in `_MRKDWN` are
Slack's markup; everything else is plain text.
"""

from bot.slack.text import Origin
from bot.verdict import Label, Tone, Verdict

TITLE = "Text Message Angel"

# The help

HELP_MRKDWN = """\
*I read a message before you send it, and only you see what I say.*
• `/angel &lt;your draft&gt;`: is it good to go? If not, you get a rewrite that keeps the peace and the wit.
• `/angel formal: &lt;your draft&gt;`: the same, in that tone. I know formal, friendly, short and funny.
• `/angel` on its own: the composer, for long drafts and for threads. It's *Write with Angel* in the ⚡ menu, too.
• *Check with Angel* in a message's ⋯ menu: a second opinion on what is already out.
{what_it_misses}{privacy}"""
KEEPS_NOTHING = "I keep none of your words. A 👍 or 👎 is a line in my log, without your name."
_COUNTS = "I count checks, 👍 and 👎 in your company's MLflow, with a code in place of your name."
KEEPS_NUMBERS = f"I keep none of your words. {_COUNTS}"
KEEPS_TEXT = f"I keep your words only if you say so after a vote. {_COUNTS}"

# While a check takes its time

READING = "One moment, I'm reading..."
STILL_READING = "This one takes me a little longer. My answer comes as soon as I've read it."
"""After a command Slack lets nothing replace it: it has to make sense above the answer, too."""

# A verdict

_SENTENCES = {
    (Origin.SENT, Label.GOOD): "This one is out already, and it's good as it is.",
    (Origin.SENT, Label.CAUTION): "This one is out already, and it may sting.",
    (Origin.OTHERS, Label.GOOD): "Nothing in this message looks like a sting to me.",
    (Origin.OTHERS, Label.CAUTION): "This message may sting, though it may not be meant to.",
}
_REWRITE_HEADINGS = {
    Origin.DRAFT: "Suggested rewrite, ready to copy:",
    Origin.SENT: "What you could change it to, ready to copy:",
    Origin.OTHERS: "How it could have been said:",
}
DRAFT_HEADING = "Your words, ready to copy:"
REWRITE_SPOKEN = "Suggested rewrite:"
NO_REWRITE = "I have no rewrite for this one. Saying what you need, without the aside, usually does it."
SAME_AGAIN = "These are the same words as before: it's the one version I have in this tone."
LOST = "Left out of the rewrite"
ADDED = "New in the rewrite, so have a look"
AND_MORE = " and more"
NAMELESS_MODEL = "a model without a name"
TOO_LONG_FOR_BUTTONS = "Too long for buttons, this one. For another version, run /angel again or use Write with Angel."

# Buttons and menus

ANOTHER_VERSION = "Another version"
SAY_IT = "Say it"
TRY_AGAIN = "Try again"
EDIT = "Edit"
USE_REWRITE = "Put it into the draft"
WAS_IT_HELPFUL = "Helpful?"
HELPFUL_OPTION, NOT_HELPFUL_OPTION = "👍 Helpful", "👎 Not helpful"
THUMB_UP, THUMB_DOWN = "👍", "👎"
HELPFUL, NOT_HELPFUL = "Helpful", "Not helpful"
KEEP_IT, NO_THANKS = "Keep it", "No, thanks"
CHECK, DONE = "Check", "Done"
STALE_BUTTON = "That button is from another version of me, and I can't read it any more. Please run /angel again."

# The composer

COMPOSER_TITLE = "Write with Angel"
DRAFT_LABEL, DRAFT_PLACEHOLDER = "Your draft", "Per my last email..."
TONE_LABEL = "A rewrite should sound"
CONTEXT_LABEL, CONTEXT_PLACEHOLDER = "Anything I should know?", "To my manager, after a missed deadline"
OPENED_LATE = "The composer didn't open in time. Once more, please: it usually does."

# Votes

MAY_I_KEEP_IT = (
    "Thanks, noted. May I keep this draft with your vote, so that whoever looks after me can learn from it? It goes to "
    "your company's MLflow."
)
KEPT = "Thank you, I'll pass it on."
NOT_KEPT = "All right, I won't."
NO_LONGER_KEPT = "Drafts are no longer kept here, so I haven't."

# What goes wrong

NO_TEXT = "There are no words of its own in that message for me to read, only files or an app's blocks."
BUG = (
    "Something in me broke on that one, and it's not your fault. Try again; if it happens twice, tell whoever runs me."
)
BROKEN = (
    "I'm not set up right at the moment, so I can't read anything. Whoever runs me will find what to fix in my log."
)
FAILED = "I couldn't read that one just now. Give it another try in a minute."
GOING_AWAY = "I'm being restarted and couldn't finish reading that one. Try again in a minute."


def help_mrkdwn(privacy: str, what_it_misses: str) -> str:
    """What Angel does, what its offline check misses, and what becomes of a person's words and votes."""
    return HELP_MRKDWN.format(privacy=privacy, what_it_misses=f"• {what_it_misses}\n" if what_it_misses else "")


def sentence(verdict: Verdict, origin: Origin) -> str:
    """The verdict on these words: the two sentences are for what is not out yet."""
    return _SENTENCES.get((origin, verdict.label), verdict.sentence)


def rewrite_heading(origin: Origin) -> str:
    return _REWRITE_HEADINGS[origin]


def small_print(verdict: Verdict, model: str, version: str | None, tone: Tone) -> str:
    """One line: who answered, and in which tone. That only they see it is what Slack itself writes above an answer."""
    if verdict.label is Label.UNREAD:
        return "My offline check reads English only"
    if verdict.fallback:
        by = f"{verdict.fallback.explanation}, so my offline check stood in: it knows phrases, not meaning"
    elif verdict.offline:
        by = "Offline check: it knows phrases, not meaning"
    else:
        by = f"Checked by {model or NAMELESS_MODEL}{f', version {version}' if version else ''}"
    return f"{by} · {tone.value} tone" if verdict.rewrite or tone is not Tone.PLAYFUL else by


def more_findings(number: int) -> str:
    return f"and {number} more like {'it' if number == 1 else 'them'}"


def tone_name(tone: Tone) -> str:
    return tone.value.capitalize()


def in_a_tone(tone: Tone) -> str:
    """An option of the menu beside *Another version*, which it ends as a sentence."""
    return f"in a {tone.value} tone"
