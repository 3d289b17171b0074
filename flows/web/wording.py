"""Remedies as a page tells them: where the core names a command, the page that does the same.

The core writes a remedy once, with its command as the command line has it, between backticks
(`` `mmm accept RUN_ID` ``). Every text of a template comes through here.

Belongs here: which page does what a verb does. Does not: any remedy.
"""

import re

from markupsafe import Markup

PAGE_OF_VERB = {
    "validate": "Datasets",
    "init": "Datasets",
    "refit": "Run",
    "runs": "Run",
    "show": "Results",
    "plan": "Budget",
    "scenarios": "Budget",
    "compare": "Compare",
    "explain": "Compare",
    "stability": "Compare",
    "score": "Forecast",
    "accept": "Champions",
    "rollback": "Champions",
    "portfolio": "Portfolio",
    "export": "Export",
}
"""Title of the page, as the navigation has it, by verb of the command line."""
OPERATOR = "whoever runs this server"
"""Who does what no page does."""

_COMMAND = re.compile(r"(?P<begin>^|(?<=[.!?] ))?`mmm (?P<verb>[a-z]+)\b[^`]*`")
_OPTION = re.compile(r"(?<=[ (`])--(?P<words>[a-z]+(?:-[a-z]+)*)(?![\w-])")


def on_page(value: object) -> object:
    """Return a text in which pages stand for commands, and words for options.

    What is no text, or is marked up already, stays as it is.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _OPTION.sub(_words, _COMMAND.sub(_page, value))


def as_typed(text: object) -> Markup:
    """Return what a person wrote, or will send again: escaped, and else as it is."""
    return Markup.escape(text)


def _page(found: re.Match[str]) -> str:
    title = PAGE_OF_VERB.get(found["verb"])
    named = f"the page {title}" if title else OPERATOR
    return named if found["begin"] is None else named[0].upper() + named[1:]


def _words(found: re.Match[str]) -> str:
    return f"“{found['words'].replace('-', ' ')}”"
