"""The phrasebook: its data holds together, and it leaves alone what means no harm."""

import re
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import DraftRejected
from bot.model.phrasebook import Phrasebook
from bot.particulars import differences
from bot.verdict import Category, Draft, Tone

BOOK = Phrasebook.load()
CAUTIONS_OF_THE_TUTORIAL = [
    "Wow, what an interesting dinner last night! I had no idea that you could use canned cat food to make a meatloaf.",
    "I'd rather book a 14th century surgical operation than go to the movies with you on Thursday.",
    "You know what part I love most when you sing? The end. It means its over.",
]
GOOD_ONES_OF_THE_TUTORIAL = [
    "Can't wait for the roadtrip this weekend! Love the playlist mixes that you choose!",
    "Thanks for helping out with the move this weekend. I really appreciate it.",
]


def verdict(text: str) -> str | None:
    return BOOK.check(Draft(text=text))["verdict"]


def rewrite(text: str, tone: Tone = Tone.PLAYFUL) -> str | None:
    return BOOK.check(Draft(text=text, tone=tone))["rewrite"]


def caught(texts: Iterable[str]) -> dict[str, list[str]]:
    """The texts that the phrasebook finds something in, each with what it finds."""
    found = {text: [text[barb.start : barb.end] for barb in BOOK.find(text)] for text in texts}
    return {text: words for text, words in found.items() if words}


# --- the data -------------------------------------------------------------------------------------------------------


def test_every_example_is_found_by_its_own_entry() -> None:
    assert [
        each
        for entry in BOOK.entries
        for each in entry.examples
        if not any(barb.entry is entry for barb in BOOK.find(each))
    ] == []


def test_no_lookalike_is_found_by_any_entry() -> None:
    assert caught(each for entry in BOOK.entries for each in entry.lookalikes) == {}


def test_harmless_words_are_left_alone() -> None:
    assert caught(each for harmless in BOOK.harmless for each in harmless.examples) == {}


def test_there_are_two_hundred_patterns_and_more() -> None:
    assert sum(len(entry.patterns) for entry in BOOK.entries) >= 200


def test_every_category_has_entries_and_a_tip() -> None:
    assert {entry.category for entry in BOOK.entries} == set(Category)
    assert set(BOOK.tips) == set(Category)


def test_every_word_list_is_used() -> None:
    written = " ".join(
        [each for entry in BOOK.entries for each in entry.patterns]
        + [each for harmless in BOOK.harmless for each in harmless.patterns]
        + [word for words in BOOK.words.values() for word in words]
    )
    assert set(BOOK.words) == set(re.findall(r"<(\w+)>", written.replace("(?<", "")))


def test_reasons_and_tips_are_one_short_sentence() -> None:
    assert [
        entry.reason
        for entry in BOOK.entries
        if not (
            entry.reason.endswith((".", "”"))
            and len(entry.reason) < 120
            and "\n" not in entry.reason + (entry.tip or "")
        )
    ] == []


def test_a_rewrite_of_an_example_passes_the_check_and_keeps_its_particulars() -> None:
    rewrites = {
        (example, tone): rewrite(example, tone) for entry in BOOK.entries for example in entry.examples for tone in Tone
    }
    assert [
        (example, new)
        for (example, _), new in rewrites.items()
        if new is not None and (BOOK.find(new) or differences(example, new) != ((), ()) or new == example)
    ] == []


def test_a_caution_has_either_a_rewrite_or_a_tip() -> None:
    rows = {example: BOOK.check(Draft(text=example)) for entry in BOOK.entries for example in entry.examples}
    assert [example for example, row in rows.items() if bool(row["rewrite"]) == bool(row["tip"])] == []


# --- the messages of MLflow's tutorial ------------------------------------------------------------------------------


def test_the_tutorials_kind_messages_pass() -> None:
    assert caught(GOOD_ONES_OF_THE_TUTORIAL) == {}


def test_each_of_the_tutorials_barbs_has_a_rewrite_in_every_tone() -> None:
    rewrites = {(text, tone): rewrite(text, tone) for text in CAUTIONS_OF_THE_TUTORIAL for tone in Tone}
    assert [each for each, new in rewrites.items() if not new or differences(each[0], new) != ((), ())] == []


def test_other_messages_of_their_kind_are_caught_and_most_are_mended() -> None:
    texts = [
        "Wow, what a creative outfit today! I had no idea that you could wear curtains to the office.",
        "Oh wow, what a fascinating haircut! I never knew one could use a lawn mower for that.",
        "What an interesting cake you made! I didn't realise people could bake with that much salt.",
        "Wow, what a unique presentation yesterday! I had no idea you could fit 90 bullets on one slide.",
        "Wow such an interesting soup! I had no idea that water could be served with a carrot.",
        "My, what a bold choice of tie!",
        "Wow, what an unusual party on Saturday! I had no idea that silence could be that loud.",
        "Wow, what an original speech! I never knew that a toast could last 45 minutes.",
        "Wow, what an interesting parking job! I had no idea you could use three spots at once.",
        "Wow what an interesting cooking experiment last night! I had no idea that you can burn water.",
        "I'd rather eat glass than go camping with you this weekend.",
        "I would rather have a root canal than have lunch with you tomorrow.",
        "I'd rather swim with sharks than spend another evening with you.",
        "I'd rather watch paint dry than watch another movie with you.",
        "Honestly, I'd rather lick a subway floor than share an office with you.",
        "We'd rather be trampled by elephants than play cards with you again.",
        "I'd rather stick needles in my eyes than attend another meeting with you on Monday at 9.",
        "I'd sooner wrestle a bear than go on a road trip with you.",
        "I'd rather be stuck in an elevator for a week than go to dinner with you.",
        "I'd rather do my taxes twice than go shopping with you on Friday.",
        "You know what I love most when you play the drums? The silence after.",
        "You know what part I like best when you cook? When it's over.",
        "Do you know what I enjoy most when you tell stories? The ending. It means we can go home.",
        "You know what my favorite part is when you talk? The end.",
        "You know which part I love most about your presentations? The end.",
        "Want to know what I love most when you call? Hanging up.",
        "You know what the best part is when you dance? When the music stops.",
        "My favorite part when you present is when it stops.",
        "The best thing about your singing is when it stops.",
        "You know what I like best when you tell jokes? The silence after.",
    ]
    assert [text for text in texts if verdict(text) != "caution"] == []
    # Not where a number would get lost, a word would stay that stings, or the praise is of somebody's looks.
    assert len([text for text in texts if not rewrite(text)]) <= 4


def test_their_sincere_sisters_pass() -> None:
    texts = [
        "Wow, what a lovely dinner last night! I had no idea that you could cook like that!",
        "What an interesting talk! I had no idea that you could use a database as a queue.",
        "I'd rather take the train than drive with you on Thursday.",
        "I'd rather have pizza than sushi with you all tonight.",
        "You know what part I love most when you sing? The chorus, every time!",
        "Can't wait for the party on Friday! Love the cakes that you bake!",
        "Can't wait for the hike on Sunday! Love the trails you pick!",
        "Thanks for covering my shift yesterday. I really appreciate it.",
        "Thank you for helping with the slides. It means a lot.",
    ]
    assert [text for text in texts if verdict(text) != "good"] == []


# --- what is left alone ---------------------------------------------------------------------------------------------


def test_what_the_author_did_not_say_is_left_alone() -> None:
    texts = [
        "`you are an idiot` is the text of the error",
        "```\nprint('you are an idiot')\n```\nprints it",
        "> you are an idiot\nWho wrote that?",
        "&gt; you are an idiot\nWho wrote that?",
        'She wrote "you are an idiot" on the board.',
        "See https://example.com/you-are-an-idiot for the joke.",
        ":stupid_cat: :poop:",
        "[[1:@Idiot Bot]] is up again",
    ]
    assert caught(texts) == {}


def test_hard_words_for_oneself_are_left_alone() -> None:
    texts = [
        "I was being dumb, ignore my last message.",
        "Sorry, stupid question: where is the wiki?",
        "My stupid mistake, fixing it now.",
        "I'm such an idiot, I left my keys at home.",
        "I feel like crap today, staying home.",
    ]
    assert caught(texts) == {}


def test_technical_talk_is_left_alone() -> None:
    texts = [
        "The garbage collector runs every 40 seconds.",
        "Kill the process and restart the server.",
        "It's a dumb terminal from 1983.",
        "This is broken on Firefox.",
        "We use lazy loading for the images.",
        "The master/slave setup is legacy.",
        "The queries should be killed after 30 s.",
        "How could you do that in bash?",
        "You obviously need root for that.",
    ]
    assert caught(texts) == {}


def test_kind_lookalikes_are_left_alone() -> None:
    texts = [
        "Not sure how to set this up, any hints?",
        "Oh great, thanks!",
        "You always make my day.",
        "Never mind, found it.",
        "Fine by me!",
        "You are the badass team we needed.",
        "Insane performance, well done.",
        "That was a fucking great demo!",
        "You deserve it, congratulations!",
        "We need more people like you.",
        "Great job on the release, everyone!",
        "I hope you never have to do that again!",
        "When I grow up I want to be a pilot.",
        "I'll shoot you an email.",
        "You keep getting better.",
        "No rush, whenever you are ready.",
    ]
    assert caught(texts) == {}


def test_a_draft_in_quotation_marks_is_still_a_draft() -> None:
    assert BOOK.find('"You are an idiot."')


def test_masked_shouted_and_curly_spellings_are_read() -> None:
    texts = ["What an id1ot.", "F*** off.", "You iiidiot!", "YOU IDIOT", "you’re an idiot"]
    assert [text for text in texts if not BOOK.find(text)] == []


def test_an_excerpt_takes_in_the_whole_of_a_stretched_word() -> None:
    (finding,) = BOOK.check(Draft(text="What a moronnnn."))["findings"]
    assert finding["excerpt"].endswith("moronnnn")


# --- rewriting ------------------------------------------------------------------------------------------------------


def test_sentences_are_mended_where_a_barb_was() -> None:
    expected = {
        "Where is the fucking key?": "Where is the key?",
        "I saw a fucking eagle today.": "I saw an eagle today.",
        "No offense, but the logo is late.": "The logo is late.",
        "The old one was better, just saying.": "The old one was better.",
        "Calm down, it's only a test.": "We'll sort this out together. It's only a test.",
        "Shall I draw you a map? It's here.": "Let me take a second run at explaining this. It's here.",
        "This meeting is a joke.": "This meeting lost me somewhere around the start, can we give it a tune-up?",
        "Is it so hard to lock the door?": "Could I bribe you to lock the door? I have biscuits.",
        "Can you clean up this shit?": "Can you clean up this stuff?",
        "k.": "okay, got it, over and out!",
    }
    assert {text: rewrite(text) for text in expected} == expected


def test_a_tone_has_its_own_words_where_the_phrasebook_has_them() -> None:
    assert {tone: rewrite("I don't care.", tone) for tone in Tone} == {
        Tone.PLAYFUL: "I'm Switzerland on this one.",
        Tone.WARM: "I don't mind either way.",
        Tone.PROFESSIONAL: "I have no preference.",
        Tone.BRIEF: "I don't mind either way.",
    }


def test_a_rewrite_keeps_numbers_links_mentions_and_placeholders() -> None:
    text = "As per my last email, [[1:@Maria]] and @tom need 12.5 t by 10:30, see https://example.com/a_b and #ops."
    new = rewrite(text)
    assert new is not None
    assert differences(text, new) == ((), ())


def test_what_stands_in_code_or_a_quotation_survives_a_rewrite() -> None:
    text = 'As per my last email, run `rm -f  idiot.txt` ,  then say "you idiot  !" twice.'
    new = rewrite(text)
    assert new is not None
    assert new.endswith(text.removeprefix("As per my last email"))


def test_a_draft_with_nothing_left_to_say_gets_a_tip_and_no_rewrite() -> None:
    texts = ["You are an idiot.", "Screw you.", "Some of us have work to do.", "You're the worst."]
    rows = [BOOK.check(Draft(text=text)) for text in texts]
    assert [row for row in rows if row["rewrite"] or not row["tip"]] == []


def test_a_rewrite_is_given_only_where_the_whole_of_it_would_pass_as_a_message() -> None:
    texts = [
        "With all due respect, that's a terrible idea and you know it.",
        "Interesting approach. I would have done it properly.",
        "You always do this.",
        "Great job breaking the build again, Tom",
        "Are you fucking kidding me?",
        "As per my last email, your numbers are wrong, as always.",
        "As previously stated, no.",
        "Nice of you to finally join us. Should I start over just for you?",
        "Not my problem. Ask someone who cares.",
        "Must be nice to leave at four when the rest of us still have work to do.",
        "Close the damn window.",
        "The tap, you useless muppet, is dripping.",
        "Calm down, you never listen anyway.",
        "What the fuck are you doing?",
    ]
    rewrites = {(text, tone): rewrite(text, tone) for text in texts for tone in Tone}
    assert {each: new for each, new in rewrites.items() if new is not None} == {}
    assert [text for text in texts if verdict(text) != "caution"] == []


def test_a_clause_is_not_put_where_none_can_stand() -> None:
    new = rewrite("I left because you never help with the dishes.")
    assert new is None


# --- any draft ------------------------------------------------------------------------------------------------------

_BARBS = st.sampled_from([example for entry in BOOK.entries for example in entry.examples])
_MARKS = st.sampled_from(["`", "```", '"', "\n> ", "\0", "İ", "[[1:", " @"])
_ANY_DRAFT = st.one_of(
    st.text(max_size=300),
    st.lists(st.one_of(_BARBS, st.text(max_size=20), _MARKS)).map(" ".join),
)


@settings(deadline=None)
@given(text=_ANY_DRAFT, tone=st.sampled_from(Tone))
def test_any_draft_gets_a_row_that_keeps_its_promises(text: str, tone: Tone) -> None:
    try:
        draft = Draft(text=text, tone=tone)
    except DraftRejected:
        return
    row = BOOK.check(draft)
    assert row == BOOK.check(draft)
    assert row["error"] is None
    assert all(finding["excerpt"] in text for finding in row["findings"])
    if row["verdict"] == "good":
        assert (row["rewrite"], row["tip"], row["findings"]) == (None, None, [])
        return
    assert row["verdict"] == "caution"
    assert row["findings"]
    assert bool(row["rewrite"]) != bool(row["tip"])
    if row["rewrite"]:
        assert BOOK.find(row["rewrite"]) == []
        assert differences(text, row["rewrite"]) == ((), ())


@settings(deadline=None, max_examples=30)
@given(part=st.one_of(_BARBS, st.text(min_size=1, max_size=12)))
def test_a_draft_of_one_thing_over_and_over_is_read_as_any_other(part: str) -> None:
    try:
        draft = Draft(text=(part * 4_000)[:4_000])
    except DraftRejected:
        return
    assert BOOK.check(draft)["verdict"] in ("good", "caution")
