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
WHERE_LABEL = "Where to, if I may send it for you"
CONTEXT_LABEL, CONTEXT_PLACEHOLDER = "Anything I should know?", "To my manager, after a missed deadline"
OPENED_LATE = "The composer didn't open in time. Once more, please: it usually does."

# The Home tab

HOME_WHAT_I_DO_MRKDWN = """\
*I read a message before you send it, and only you see what I say.*
I tell you which words may sting, and why, and suggest some that keep the peace and the wit.
Type `/angel` and your draft anywhere, or try one here:"""
HOME_DRAFT_LABEL = "A draft you're not sure about"
HOME_TONE = "How my rewrites sound when you name no tone:"
ANY_TONE = "Playful, as ever"
HOME_WITHOUT_STORE_MRKDWN = (
    "Whoever runs me can also let me remember your tone and send for you. They find how in the guide for operators."
)
HOME_CONNECTED_MRKDWN = (
    "*You're connected.* My answers have a button that sends them as you: only when you press it, and only where it "
    "says."
)
HOME_NOT_CONNECTED_MRKDWN = (
    "*Send without copying.* Connect, and my answers get a button that sends them under your name: only when you press "
    "it, and only where it says. I can't read anything with it."
)
CONNECT, DISCONNECT, NOT_NOW = "Connect to send as me", "Disconnect", "Not now"
DISCONNECT_TITLE = "Disconnect?"
DISCONNECT_TEXT = "I give your permission back to Slack and forget it. You can connect again whenever you like."
CANCEL = "Cancel"
READS_OFFLINE = "Drafts are read by my offline check: they don't leave the machine that I run on."
NO_DRAFT = "There's nothing in the box yet. Type a draft, then press Check."
STORE_DOWN = "I can't remember anything right now. Try again in a few minutes."

# The rules of a workspace

RULES_FOR_ADMINS = "You installed me here, so you say where I may answer, in which style, and who may connect."
RULES_BUTTON, RULES_TITLE, RULES_SAVE, RULES_CANCEL = "Rules for this workspace", "Rules", "Save", "Cancel"
RULES_LABELS = {
    "allowed_channels": "Answer only in these conversations",
    "denied_channels": "Never answer in these conversations",
    "allowed_people": "Answer only these people",
    "denied_people": "Never answer these people",
    "house_style": "House style: one line that goes to the model with each draft",
    "may_connect": "Who may connect, so that I can send for them",
    "connecting_people": "The people who may connect, if not everyone",
    "about": "What people should know about the model, its provider and what is kept",
}
MAY_CONNECT = {"everyone": "Everyone", "allowed": "Only the people named below", "nobody": "Nobody"}
NOT_HERE = "I'm not used in this conversation: your workspace's rules say so. Your words went nowhere."

# Sending

SEND, SEND_ANYWAY = "Send it", "Send my words anyway"
SEND_TITLE = "Send it now?"
YOUR_OWN_WORDS = ": your own words, not mine"
CHANGE_QUESTION = "Your message changes to the words above. I keep the old ones here, so that you can put them back."
CHANGE_IT = "Change it"
CHANGE, CHANGE_TITLE = "Change my message to this", "Change your message?"
UNDO = "Put my old words back"
SENT = "Sent, as you."
CHANGED = "Changed. Your old words, in case you want them back:"
ALREADY_SENT = "That one is out already, so I haven't sent it again."
UNKNOWN = (
    "Slack didn't tell me whether it went out, so look in the conversation before you send it yourself. I won't try "
    "again on my own. Your words:"
)
NOT_CONNECTED = "Slack no longer lets me send for you. Connect again, or copy your words:"
CONNECT_HINT = "Tired of copying? Connect, and I can send it as you."
NOT_NOW_SAID = "All right, I won't bring it up again. If you change your mind, it's in my Home tab."
REFUSED = {
    "not_in_channel": "You're not in that conversation, so it wasn't sent. Join it first, or copy your words:",
    "channel_not_found": "I can't find that conversation, so it wasn't sent. Copy your words:",
    "is_archived": "That conversation is archived, so it wasn't sent. Copy your words:",
    "msg_too_long": "Slack says it's too long, so it wasn't sent. Shorten it first:",
    "ratelimited": "Slack asks for a short pause, so it wasn't sent. Press again in {seconds} seconds, or copy it:",
    "unreachable": "I can't reach Slack at the moment, so it wasn't sent. Press again in a minute, or copy it:",
    "restricted_action": "Your workspace doesn't let you post there, so it wasn't sent. Copy your words:",
    "edit_window_closed": "It's too late to change that one: your workspace limits how long one can. Your new words:",
    "cant_update_message": "Slack doesn't let me change that message: it isn't one that you wrote. Your new words:",
    "message_not_found": "That message isn't there any more, so I couldn't change it. Your new words:",
}
REFUSED_OTHERWISE = "Slack said no ({reason}), so it wasn't sent. Copy your words:"


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


def house_style(line: str) -> str:
    """As the model reads it, behind the author's own line of context."""
    return f"House style of this workplace: {line}"


def reads_chat(model: str, host: str) -> str:
    return f"Drafts are read by {model}, at {host}."


def reads_model(uri: str) -> str:
    """An address of a model may hold a password; its last part tells it from others."""
    return f"Drafts are read by the model {uri.rsplit('/', 1)[-1]}, which whoever runs me chose."


def refused(reason: str, seconds: int) -> str:
    """Why Slack did not take it; `seconds` is the pause it asked for."""
    known = REFUSED.get(reason)
    return REFUSED_OTHERWISE.format(reason=reason) if known is None else known.format(seconds=seconds or "a few")


def send_question(conversation: str, words: str) -> str:
    """What the confirmation asks; `conversation` is mrkdwn, so that Slack shows its name."""
    return f"It goes out under your name in {conversation}, as it stands above{words}."


def conversation_mrkdwn(channel_id: str, name: str = "") -> str:
    """How a conversation is named to the person who is in it."""
    if name.startswith("directmessage") or channel_id.startswith("D"):
        return "this direct message"
    if name.startswith("mpdm-"):
        return "this group conversation"
    return f"<#{channel_id}>"
