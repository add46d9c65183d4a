"""Keeps the Slack libraries from logging what people write.

Bolt logs the whole body of a request with a bad signature at INFO, both log payloads and answers at DEBUG, and an
exception of a listener with its message. What an operator needs to know of them is logged by the bot itself.
"""

import logging

NOTHING = logging.CRITICAL + 1


def quiet() -> logging.Logger:
    """A logger that says nothing, for everything of slack_bolt and slack_sdk that takes one.

    Those that take none say nothing either from then on. Bolt copies the level of a logger given to it, and where it
    was given none, the level of the root: a level set on `slack_bolt` alone would not reach its children.
    """
    for name in ("slack_bolt", "slack_sdk"):
        logging.getLogger(name).setLevel(NOTHING)
    logger = logging.getLogger("slack_bolt.quiet")
    logger.setLevel(NOTHING)
    return logger
