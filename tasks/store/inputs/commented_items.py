"""Items of a YAML list that are changed, added and taken away, each with the comments about it.

Belongs here: which comment is about which item. Does not: what else of a text changes
(``commented``).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken

Change = Callable[[Any, Any, Any], Any]
"""Returns a node with what differs between two values: node, before, after."""


def change_items(
    node: list[Any], before: Sequence[Any], after: Sequence[Any], change: Change
) -> list[Any]:
    """Return a list of the text with what differs between two lists.

    An item is the same one where its ``name`` is, or its value; one that is renamed keeps its
    place. Comments above an item and at its end stay with it.

    Parameters
    ----------
    node
        List of the text, as long as ``before``.
    before, after
        Its items, and what they are to be.
    change
        Changes an item that stays.
    """
    partners = _partners(before, after)
    known = [partner for partner in partners if partner is not None]
    if known != sorted(known):
        return list(after)
    items = [
        _commented(item) if partner is None
        else node[partner] if before[partner] == item
        else change(node[partner], before[partner], item)
        for item, partner in zip(after, partners, strict=True)
    ]  # fmt: skip
    return _with_comments(node, items, partners) if isinstance(node, CommentedSeq) else items


def _with_comments(
    node: CommentedSeq, items: Sequence[Any], partners: Sequence[int | None]
) -> CommentedSeq:
    """Return items as the text's list has them, with the comments of those that were in it."""
    above, ends = _take_comments_between(node), dict(node.ca.items)
    made = CommentedSeq(items)
    node.copy_attributes(made)
    made.ca.items.clear()
    for place, partner in enumerate(partners):
        if partner in ends:
            made.ca.items[place] = ends[partner]
    comments = ["" if partner is None else above[partner] for partner in partners]
    for place, text in enumerate([*comments[1:], above[-1]]):
        if text and made:
            _write_after(made, place, text)
    if made and comments[0].strip():
        _write_above(made, comments[0])
    return made


def _partners(before: Sequence[Any], after: Sequence[Any]) -> list[int | None]:
    """Return which item each item was before; None for a new one."""
    free = dict.fromkeys(range(len(before)))
    partners: list[int | None] = []
    for item in after:
        same = (i for i in free if _identity(before[i]) == _identity(item))
        partners.append(next(same, None))
        free.pop(partners[-1], None) if partners[-1] is not None else None
    for place, partner in enumerate(partners):
        if partner is None and place in free and type(before[place]) is type(after[place]):
            partners[place] = place
            del free[place]
    return partners


def _identity(item: Any) -> Any:
    return item["name"] if isinstance(item, Mapping) and "name" in item else item


def _take_comments_between(node: CommentedSeq) -> list[str]:
    """Take out the comments that stand between items: above each, and below the last one."""
    return ["", *(_take_after(node, place) for place in range(len(node)))]


class _Slot(NamedTuple):
    """Where a comment at the end of a line is kept."""

    items: dict[Any, list[Any]]
    key: Any
    place: int


def _last_slot(holder: CommentedSeq | CommentedMap, key: Any) -> _Slot:
    """Return the place of the comment at the end of the last line of an item."""
    value = holder[key]
    if isinstance(value, CommentedSeq | CommentedMap) and value and not value.fa.flow_style():
        last = len(value) - 1 if isinstance(value, CommentedSeq) else list(value)[-1]
        return _last_slot(value, last)
    return _Slot(holder.ca.items, key, 0 if isinstance(holder, CommentedSeq) else 2)


def _take_after(node: CommentedSeq, place: int) -> str:
    slot = _last_slot(node, place)
    token = (slot.items.get(slot.key) or [None] * 4)[slot.place]
    if not isinstance(token, CommentToken):
        return ""
    here, _, below = token.value.partition("\n")
    if here.strip():
        token.value = f"{here}\n"
    else:
        slot.items[slot.key][slot.place] = None
    return str(below)


def _write_after(node: CommentedSeq, place: int, text: str) -> None:
    slot = _last_slot(node, place)
    kept = slot.items.setdefault(slot.key, [None] * 4)
    token = kept[slot.place]
    if isinstance(token, CommentToken):
        token.value = f"{token.value.rstrip()}\n{text}"
    else:
        kept[slot.place] = CommentToken(f"\n{text}", CommentMark(0))


def _write_above(node: CommentedSeq, text: str) -> None:
    """Write comments above the first item, below those that are about the whole list."""
    lines = [f"{line.strip()}\n" for line in text.splitlines() if line.strip()]
    # In the column of the items.
    tokens = [CommentToken(line, CommentMark(2)) for line in lines]
    here, above = node.ca.comment or (None, None)
    if above:
        # The mapping that the list is in writes this very list of comments.
        above.extend(tokens)
    else:
        node.ca.comment = [here, tokens]


def _commented(value: Any) -> Any:
    """Return a new value in the form in which comments can be written to it."""
    if isinstance(value, Mapping):
        return CommentedMap((key, _commented(each)) for key, each in value.items())
    return CommentedSeq(map(_commented, value)) if isinstance(value, list) else value
