"""The one rule for names of channels, controls, entities and the KPI.

A name becomes a key of tables, files and metrics. Two things of one name would share a key, and
some characters mean something to whoever reads the key.
"""

import unicodedata

from schemas.names import (
    ALL_ENTITIES,
    BASELINE_COMPONENT,
    SEASONALITY_COMPONENT,
    TREND_COMPONENT,
)

LONGEST_NAME = 200
KEPT_FOR_COMPONENTS = (BASELINE_COMPONENT, TREND_COMPONENT, SEASONALITY_COMPONENT)
KEPT_FOR_ENTITIES = (ALL_ENTITIES,)


def name_fault(name: str, *, kept: tuple[str, ...]) -> str | None:
    """Return what is wrong with a name, or None.

    Parameters
    ----------
    name
        Name of a channel, control, entity or KPI.
    kept
        Names that the product gives to something of its own.

    Returns
    -------
    str or None
        The end of a sentence that begins with the name.
    """
    if name.casefold() in kept:
        return f"is kept for the product's own {name.casefold()!r}; give it another name"
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        return "holds a character that is not printed; remove it"
    if name != name.strip() or not name:
        return "is empty, or begins or ends with a space; trim it"
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters; shorten it"
    return None
