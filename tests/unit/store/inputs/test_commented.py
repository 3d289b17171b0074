"""A change of a YAML text leaves the rest of it as it was written."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.store.inputs.commented import rewrite

TEXT = """\
# what this is
a: 1            # one
b:
  - x           # first
  - y           # second
c: {d: "2"}     # a block in one line
"""
SAID = yaml.safe_load(TEXT)


def test_only_what_differs_is_touched():
    changed = rewrite(TEXT, SAID, {**SAID, "a": 7})
    assert changed == TEXT.replace("a: 1 ", "a: 7 ")


def test_an_item_that_goes_takes_its_comment_and_no_other():
    changed = rewrite(TEXT, SAID, {**SAID, "b": ["y"]})
    assert "# first" not in changed
    assert "# second" in changed
    assert yaml.safe_load(changed) == {**SAID, "b": ["y"]}


def test_a_block_that_says_its_defaults_keeps_them_beside_what_changes():
    """A caller that leaves defaults out of both documents says nothing of them."""
    changed = rewrite(TEXT, {}, {"c": {"e": 3}})
    assert yaml.safe_load(changed) == {**SAID, "c": {"d": "2", "e": 3}}
    assert yaml.safe_load(rewrite(TEXT, {"c": {"e": 3}}, {})) == SAID


def test_what_would_change_in_two_places_or_be_read_otherwise_is_left_to_the_caller():
    text = "a: &n {k: 1}\nb: *n\n"
    said = yaml.safe_load(text)
    assert rewrite(text, said, {**said, "a": {"k": 2}}) is None
    assert rewrite("a: x\n", {"a": "x"}, {"a": "no"}) in (None, "a: 'no'\n")


def test_json_and_what_is_no_mapping_are_left_to_the_caller():
    assert rewrite('{"a": 1}', {"a": 1}, {"a": 2}) is None
    assert rewrite("- 1", {}, {"a": 2}) is None


VALUES = st.recursive(
    st.integers(-5, 5) | st.sampled_from(["x", "a long word"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1, max_size=4)


@settings(deadline=None)
@given(before=DOCUMENTS, after=DOCUMENTS)
def test_the_changed_text_says_what_it_is_to_say(before, after):
    text = "# kept\n" + yaml.safe_dump(before)
    changed = rewrite(text, before, after)
    assert yaml.safe_load(changed) == after
