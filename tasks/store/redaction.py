"""The one filter that keeps secrets out of what is written: logs, states, files, MLflow, errors.

A secret is the value of an environment variable whose name says so, the password of any address,
and of the webhook's address every part behind the host. Each is replaced by a mark.

Belongs here: finding and replacing, and the two places where libraries make text by themselves
(log records, Prefect's state messages). Does not: our own writers, which call ``redact``.
"""

import json
import logging
import os
import re
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

MARK = "[secret]"
WEBHOOK = "MMM_WEBHOOK_URL"
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW(OR)?D|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|AUTH_STRING",
    re.IGNORECASE,
)
_SHORTEST = 6
"""A shorter value is a word of many texts; to replace it would spoil them and hide nothing."""
_SHORTEST_PART = 8
_USER_OF_ADDRESS = re.compile(r"(?<=://)[^/\s@:'\"]*:[^/\s@'\"]+@")


def redact(text: str) -> str:
    """Return ``text`` with every secret of the environment, and of any address in it, replaced."""
    if "://" in text:
        text = _USER_OF_ADDRESS.sub(f"{MARK}@", text)
    for secret in _secrets():
        if secret in text:
            text = text.replace(secret, MARK)
    return text


def redact_tree(document: Any) -> Any:
    """Return a JSON document with every text in it, keys included, without secrets."""
    if isinstance(document, str):
        return redact(document)
    if isinstance(document, dict):
        return {redact_tree(key): redact_tree(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [redact_tree(value) for value in document]
    return document


def filter_logs() -> None:
    """Make every log record of this process pass the filter, whichever library makes it."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def redacting(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        _redact_record(record)
        return record

    redacting.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacting)


def filter_states() -> None:
    """Make Prefect's state messages of failed flows and tasks pass the filter.

    Prefect writes an error's text into its database from one function and has no hook for it;
    ``tests/unit/store/test_redaction.py`` holds that this is still the one.
    """
    import prefect._internal.states
    import prefect.states

    plain = prefect.states.format_exception
    if getattr(plain, "redacts", False):
        return

    def redacted(*args: Any, **kwargs: Any) -> str:
        return redact(plain(*args, **kwargs))

    redacted.redacts = True  # type: ignore[attr-defined]
    for module in (prefect.states, prefect._internal.states):
        vars(module)["format_exception"] = redacted


def _redact_record(record: logging.LogRecord) -> None:
    try:
        message = record.getMessage()
    except Exception:  # a record that does not fit its arguments is reported by its handler
        return
    cleaned = redact(message)
    if cleaned != message:
        record.msg, record.args = cleaned, ()
    if record.exc_info and record.exc_info[0] is not None:
        text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        cleaned = redact(text)
        if cleaned != text:
            # Formatters write the text, where there is one, and never look at the exception.
            record.exc_text, record.exc_info = cleaned, None


def _secrets() -> list[str]:
    """Return every secret as it may be written, the longest first."""
    found: set[str] = set()
    for name, value in os.environ.items():
        if name == WEBHOOK:
            found.update(_parts_of_webhook(value.strip()))
        elif "://" in value:
            found.update(_password_of(value))
        elif _SECRET_NAME.search(name) and not value.startswith("/"):
            found.update(_values_of(value.strip()))
    return sorted({form for s in found for form in _forms(s)}, key=len, reverse=True)


def _values_of(value: str) -> Iterator[str]:
    """Yield a value, and the password of ``user:password``."""
    if len(value) >= _SHORTEST:
        yield value
    password = value.partition(":")[2]
    if len(password) >= _SHORTEST:
        yield password


def _parts_of_webhook(address: str) -> Iterator[str]:
    yield from _password_of(address)
    rest = address.partition("://")[2]
    behind_host = re.split(r"[/?#]", rest, maxsplit=1)[1:]
    for part in re.split(r"[/?&=#;]", behind_host[0]) if behind_host else ():
        if len(part) >= _SHORTEST_PART:
            yield part


def _password_of(address: str) -> Iterator[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return
    if password and len(password) >= _SHORTEST:
        yield password


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, as an address writes it, and as JSON writes it."""
    plain = unquote(secret)
    forms = {secret, plain, quote(plain, safe=""), json.dumps(plain)[1:-1]}
    return {form for form in forms if len(form) >= _SHORTEST}
