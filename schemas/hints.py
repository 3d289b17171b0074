"""What an error says of a name that nobody knows: the nearest one that is known."""

import difflib
from collections.abc import Iterable

CUTOFF = 0.5
"""Likeness (``difflib``, 0 to 1) from which a name is taken for a typo of another."""


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Ask for the known name nearest to ``name``.

    Parameters
    ----------
    name
        What was given.
    known
        Names that would have been right.
    otherwise
        What to say where none is near: those that exist, or where they are listed.

    Returns
    -------
    str
        ``did you mean 'NEAREST'?``, or ``otherwise``.
    """
    known = list(known)
    near = [one for one in known if one.casefold() == name.casefold()]
    near = near or difflib.get_close_matches(name, known, n=1, cutoff=CUTOFF)
    return f"did you mean {near[0]!r}?" if near else otherwise
