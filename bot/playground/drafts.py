"""Messages to try, as people write them at work; the first is checked when the playground opens."""

DRAFTS = (
    "Fine. I'll do it myself, as usual.",
    "Per my last email, the deck is due today. Can you send it by 5pm?",
    "Not sure if you saw my last three messages, but I still need the invoice by noon.",
    "Must be nice to leave at four.",
    "Could you have a look at the pull request when you have a minute? Thanks!",
)
