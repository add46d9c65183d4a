"""What the OpenAI client raises, as errors of ours: their words are for the operator, and never the server's own."""

import re
from collections.abc import Iterable

import openai

from bot.errors import (
    AnswerCutOff,
    AnswerFiltered,
    ModelError,
    ModelMisconfigured,
    ModelRateLimited,
    ModelUnavailable,
)

FILTERED = (
    "The server's content filter held the answer back. It reads drafts that people are unsure of: relax it there."
)


def not_an_api() -> ModelError:
    return ModelMisconfigured(
        "What answers at OPENAI_BASE_URL does not speak the OpenAI API. Most servers want a path there, such as /v1."
    )


def translated(error: openai.OpenAIError, model: str, seconds: float) -> ModelError:
    """The SDK's error in words for the operator. None of the server's own: they may quote the draft.

    `model` is the name of the chat model, `seconds` how long it was waited for.
    """
    match error:
        case openai.APITimeoutError():
            return ModelUnavailable(f"{model} did not answer within {seconds:.0f} s.")
        case openai.APIConnectionError():
            return ModelUnavailable("The chat model's server can't be reached. Check OPENAI_BASE_URL and the network.")
        case openai.APIResponseValidationError():
            return not_an_api()
        case openai.AuthenticationError():
            return ModelMisconfigured("The chat model's server refused the key. Check OPENAI_API_KEY.")
        case openai.PermissionDeniedError():
            return ModelMisconfigured(
                f"The key in OPENAI_API_KEY may not use {model}. Check the project's permissions."
            )
        case openai.NotFoundError():
            return ModelMisconfigured(
                f"The server knows no model {model}: it may be retired or misspelt. "
                "Name another in OPENAI_MODEL, or check the path in OPENAI_BASE_URL."
            )
        case openai.RateLimitError() if error.code in ("insufficient_quota", "billing_hard_limit_reached"):
            return ModelMisconfigured("The OpenAI account is out of quota. Check its plan and billing.")
        case openai.RateLimitError():
            return ModelRateLimited(
                f"The server limits how often {model} may be asked. Raise the limit or ask less often."
            )
        case openai.BadRequestError() if error.code in ("content_filter", "content_policy_violation"):
            return AnswerFiltered(FILTERED)
        case openai.BadRequestError() if error.code in ("model_not_found", "model_deprecated", "model_retired"):
            return ModelMisconfigured(f"{model} is retired or unknown to the server. Name another in OPENAI_MODEL.")
        case openai.BadRequestError() if error.code == "context_length_exceeded":
            return ModelMisconfigured(f"The draft and the prompt don't fit {model}. Name one with a larger context.")
        case openai.BadRequestError() | openai.UnprocessableEntityError():
            return ModelMisconfigured(
                f"The server refused the request for {model} (status {_status(error)}). Is it a chat model?"
            )
        case openai.LengthFinishReasonError():
            return AnswerCutOff(f"{model} did not finish its answer within the token limit. Raise max_tokens.")
        case openai.ContentFilterFinishReasonError():
            return AnswerFiltered(FILTERED)
        case openai.InternalServerError() | openai.ConflictError():
            return ModelUnavailable(
                f"The chat model's server failed (status {_status(error)}). Its status page may say more."
            )
        case openai.APIStatusError() if error.status_code == 408:
            return ModelUnavailable(f"{model} took too long for its own server (status 408).")
        case openai.APIStatusError():
            return ModelMisconfigured(
                f"The chat model's server answered with status {error.status_code}. Check OPENAI_BASE_URL."
            )
        case _:
            return ModelMisconfigured(f"The OpenAI client can't be used as it is set up ({type(error).__name__}).")


def _status(error: openai.OpenAIError) -> int | None:
    return error.status_code if isinstance(error, openai.APIStatusError) else None


def unsupported(error: openai.APIStatusError, sent: Iterable[str]) -> str | None:
    """Which of the parameters `sent` the server says it does not take, if that is what it says."""
    names = list(sent)
    if error.param:
        return next((name for name in names if error.param.split(".")[0] == name), None)
    # Compatible servers put it in words, or in the place a validator complains of.
    said = str(error.body)
    return next((name for name in names if re.search(rf"\b{name}\b", said)), None)
