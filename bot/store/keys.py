"""The keys that tokens are encrypted with, before they reach the database."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from bot.errors import SettingsError
from bot.store.terms import WrongKey


def new_key() -> str:
    """A key for ANGEL_SECRET_KEYS."""
    return Fernet.generate_key().decode("ascii")


class Cipher:
    """Encrypts with the first of the keys, decrypts with any of them, so that a key can be replaced without a pause."""

    def __init__(self, keys: str) -> None:
        """`keys` are separated by commas, the newest first. Raises SettingsError where one of them is no key."""
        listed = [key.strip() for key in keys.split(",") if key.strip()]
        if not listed:
            raise SettingsError("ANGEL_SECRET_KEYS is empty. `angel keys new` prints a key for it.")
        fernets = []
        for number, key in enumerate(listed, start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError as error:
                raise SettingsError(
                    f"Key {number} in ANGEL_SECRET_KEYS is not a key. `angel keys new` prints one that is."
                ) from error
        self._fernet = MultiFernet(fernets)

    def encrypted(self, text: str) -> str:
        return self._fernet.encrypt(text.encode("utf-8")).decode("ascii")

    def decrypted(self, token: str, *, seconds: int | None = None) -> str:
        """`seconds` is how old it may be. Raises WrongKey where none of the keys made it, or it is older."""
        try:
            return self._fernet.decrypt(token, ttl=seconds).decode("utf-8")
        except InvalidToken as error:
            raise WrongKey("None of the keys in ANGEL_SECRET_KEYS fits what is in the store.") from error

    def renewed(self, token: str) -> str:
        """The same content under the first key. Raises WrongKey."""
        try:
            return self._fernet.rotate(token).decode("ascii")
        except InvalidToken as error:
            raise WrongKey("None of the keys in ANGEL_SECRET_KEYS fits what is in the store.") from error


class EncryptedText(TypeDecorator[str]):
    """A column whose text is encrypted on its way in and decrypted on its way out."""

    impl = Text
    # A statement that was compiled for one cipher must not serve another one.
    cache_ok = False

    def __init__(self, cipher: Cipher) -> None:
        super().__init__()
        self._cipher = cipher

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self._cipher.encrypted(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self._cipher.decrypted(value)
