"""A change of a YAML text that leaves the rest as it was written: comments, order, quotes.

Belongs here: which nodes of a text change. Does not: what the keys mean.
"""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from schemas.errors import SpecError
from tasks.store.inputs.commented_items import change_items
from tasks.store.inputs.spec_file import parse_document

_NAME = "The run spec"
MOST_COMMENTED_CHARACTERS = 100_000
"""A longer text is none that somebody wrote comments into by hand."""


def rewrite(text: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Return a text with what differs between two documents; None where it cannot be changed so.

    Parameters
    ----------
    text
        YAML, block by block.
    before
        What the text says, in whatever form the caller compares; what it leaves out stays.
    after
        The same with changes.

    Raises
    ------
    SpecError
        If the text is no YAML.
    """
    if len(text) > MOST_COMMENTED_CHARACTERS or text.lstrip().startswith("{"):
        return None
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        node = yaml.load(text)
        if not isinstance(node, dict):
            return None
        _change(node, before, after)
        out = io.StringIO()
        yaml.dump(node, out)
    except (YAMLError, ValueError, RecursionError):
        return None
    wanted = _copy(parse_document(text, name=_NAME))
    _change(wanted, before, after)
    # An anchor changes in two places, a word such as `no` is another value to another reader.
    return out.getvalue() if _says(out.getvalue(), wanted) else None


def _says(text: str, wanted: Any) -> bool:
    try:
        return bool(parse_document(text, name=_NAME) == wanted)
    except SpecError:
        return False


def _copy(value: Any) -> Any:
    """Return a value none of whose parts stands in two places."""
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


def _change(node: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Change a mapping of the text where two mappings differ."""
    for key, value in before.items():
        if key in after or key not in node:
            continue
        if isinstance(node[key], dict) and isinstance(value, Mapping):
            _change(node[key], value, {})
        if not (isinstance(node[key], dict) and node[key] and isinstance(value, Mapping)):
            del node[key]
    for key, value in after.items():
        if key not in before or before[key] != value:
            node[key] = _changed(node.get(key), before.get(key), value)


def _changed(node: Any, before: Any, after: Any) -> Any:
    """Return a node of the text with what differs between two values."""
    if isinstance(node, dict) and isinstance(before or {}, Mapping) and isinstance(after, Mapping):
        _change(node, before or {}, after)
        return node
    if isinstance(node, list) and isinstance(before, list) and isinstance(after, list):
        return change_items(node, before, after, _changed) if len(node) == len(before) else after
    return after
