"""Every sentence that a person reads in Slack: to make Angel kinder, or to translate it, change this file.

Left to other files are the two sentences of a verdict and why a draft is rejected, since the terminal says them too
(`bot/verdict.py`), and the names in the menus, which Slack reads from `manifest.yml`. Names that end in `_MRKDWN` are
Slack's markup; everything else is plain text.
"""

from bot.verdict import Fallback, Tone

TITLE = "Text Message Angel"

# The help

HELP_MRKDWN = """\
*I read a message before you send it, and only you see what I say.*
• `/angel &lt;your draft&gt;`: is it good to go? If not, you get a rewrite that keeps the peace and the wit.
• `/angel warm: &lt;your draft&gt;`: the same, in that tone. I do playful, warm, professional and brief.
• `/angel` on its own: the composer, for long drafts and for threads. It's *Write with Angel* in the ⚡ menu, too.
• *Check with Angel* in a message's ⋯ menu: a second opinion on what is already out. {privacy}"""
KEEPS_NOTHING = "I keep none of your words. A 👍 or 👎 is a line in my log, without your name."
_COUNTS = "I count checks, 👍 and 👎 in your company's MLflow, with a code in place of your name."
KEEPS_NUMBERS = f"I keep none of your words. {_COUNTS}"
KEEPS_TEXT = f"I keep your words only if you say so after a vote. {_COUNTS}"

# While a check takes its time

READING = "One moment, I'm reading..."
STILL_READING = "Still reading. It's a good one, or my model is slow today..."

# A verdict

ONLY_YOU = "Only you can see this"
REWRITE_HEADING = "Suggested rewrite, ready to copy:"
REWRITE_SPOKEN = "Suggested rewrite:"
NO_REWRITE = "I have no rewrite for this one. Saying what you need, without the aside, usually does it."
SAME_AGAIN = "These are the same words as before: it's the one version I have in this tone."
LOST = "Left out of the rewrite"
ADDED = "New in the rewrite, so have a look"
AND_MORE = " and more"
CHECKED_OFFLINE = "Checked by the offline check"
NAMELESS_MODEL = "a model without a name"
TOO_LONG_FOR_BUTTONS = "Too long for buttons, this one. For another version, run /angel again or use Write with Angel."
NO_MORE_USES = "That's as many versions as fit in this answer. Go on in the composer, or run /angel again."
FROM_BEFORE = "That answer is too old to change, so here is your draft to go on with."

# Buttons

ANOTHER_VERSION = "Another version"
TRY_AGAIN = "Try again"
EDIT = "Edit in the composer"
USE_REWRITE = "Put it into the draft"
THUMB_UP, THUMB_DOWN = "👍", "👎"
HELPFUL, NOT_HELPFUL = "Helpful", "Not helpful"
KEEP_IT, NO_THANKS = "Keep it", "No, thanks"
CHECK, DONE = "Check", "Done"

# The composer

COMPOSER_TITLE = "Write with Angel"
DRAFT_LABEL, DRAFT_PLACEHOLDER = "Your draft", "Per my last email..."
TONE_LABEL = "A rewrite should sound"
CONTEXT_LABEL, CONTEXT_PLACEHOLDER = "Anything I should know?", "To my manager, after a missed deadline"
OPENED_LATE = "The composer didn't open in time. Once more, please: it usually does."

# Votes

NOTED = "Thanks, noted."
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


def stood_in(fallback: Fallback) -> str:
    """Why the offline check answered in the chat model's place."""
    return f"{fallback.explanation}, so my offline check stood in."


def checked_by(model: str, version: str | None) -> str:
    return f"Checked by {model}{f', version {version}' if version else ''}"


def more_findings(number: int) -> str:
    return f"and {number} more like {'it' if number == 1 else 'them'}"


def tone_name(tone: Tone) -> str:
    return tone.value.capitalize()
