"""Errors whose text may be shown. They never carry a person's words."""


class AngelError(Exception):
    """Something went wrong in a way we know; `str(error)` says what to do about it and is safe to show."""


class DraftRejected(AngelError):
    """The draft can't be checked as it is. The text tells its author what to change."""


class Busy(AngelError):
    """There is no room for another check just now. The text tells the author to try again."""


class TooManyAtOnce(Busy):
    """This person has as many checks in hand as one may have. The text says so."""


class SettingsError(AngelError):
    """The environment lacks something or has something wrong. The text tells the operator what to set."""


class ModelError(AngelError):
    """The model gave no verdict. The text tells the operator, not the author, what to change.

    `code` stands in the `error` column of a model's output and in log lines, so that the kind of the error survives
    a way through a DataFrame or another process.
    """

    code = "failed"


class ModelMisconfigured(ModelError):
    """Trying again won't help: a key, a name, a quota or an address has to change."""

    code = "misconfigured"


class ModelUnavailable(ModelError):
    """Trying later may help: refused, overloaded, or too slow."""

    code = "unavailable"


class ModelRateLimited(ModelUnavailable):
    """The server limits how often the model may be asked. It is no word on the draft: asking later does help."""

    code = "rate_limited"


class AnswerUnusable(ModelError):
    """The server answered, but not with a verdict."""

    code = "unreadable"


class AnswerRefused(AnswerUnusable):
    """The model declined to read this draft."""

    code = "refused"


class AnswerCutOff(AnswerUnusable):
    """The answer ended at the token limit."""

    code = "cut_off"


class AnswerFiltered(AnswerUnusable):
    """The server's content filter held the answer back."""

    code = "filtered"


class AnswerEmpty(AnswerUnusable):
    """The server answered with nothing."""

    code = "empty"


MODEL_ERRORS: dict[str, type[ModelError]] = {
    kind.code: kind
    for kind in (
        ModelError,
        ModelMisconfigured,
        ModelUnavailable,
        ModelRateLimited,
        AnswerUnusable,
        AnswerRefused,
        AnswerCutOff,
        AnswerFiltered,
        AnswerEmpty,
    )
}
