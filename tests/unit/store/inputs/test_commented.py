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


SPEC = """\
channels:
  # the big one
  - name: tv      # bought by us
    spend: tv_cost

  # since 2024
  - name: web
    spend: web_cost   # two agencies
  - {name: mail, spend: mail_cost}  # by post
  - name: radio
    spend: radio_cost   # net of rebates

# what is not media
controls:
  - price   # per piece
  # of us
  - promo
# until here
kpi: sales
"""


def changed_channels(change):
    said = yaml.safe_load(SPEC)
    channels = change([dict(row) for row in said["channels"]])
    changed = rewrite(SPEC, said, {**said, "channels": channels})
    assert yaml.safe_load(changed) == {**said, "channels": channels}
    return changed


NEW = {"name": "ooh", "spend": "ooh_cost"}
ABOUT_OTHERS = (
    "# what is not media\ncontrols:\n  - price   # per piece\n  # of us\n  - promo\n# until here\n"
)


def test_a_new_last_row_comes_before_the_comment_about_what_follows():
    changed = changed_channels(lambda rows: [*rows, NEW])
    assert "ooh_cost\n\n# what is not media\n" in changed
    assert changed.replace("  - name: ooh\n    spend: ooh_cost\n", "") == SPEC


def test_a_row_between_others_takes_no_comment_of_theirs():
    changed = changed_channels(lambda rows: [rows[0], NEW, *rows[1:]])
    assert "  # since 2024\n  - name: web\n    spend: web_cost   # two agencies\n" in changed
    assert "  # the big one\n  - name: tv      # bought by us\n" in changed
    assert ABOUT_OTHERS in changed


def test_a_first_row_leaves_those_below_their_comments():
    changed = changed_channels(lambda rows: [NEW, *rows])
    for kept in ("# bought by us", "# since 2024", "# two agencies", "# net of rebates"):
        assert kept in changed
    assert ABOUT_OTHERS in changed


def test_a_row_that_goes_leaves_the_comment_above_the_next_one():
    changed = changed_channels(lambda rows: rows[1:])
    assert "  # since 2024\n  - name: web\n    spend: web_cost   # two agencies" in changed
    assert "# bought by us" not in changed
    changed = changed_channels(lambda rows: rows[:2])
    assert "# net of rebates" not in changed
    assert ABOUT_OTHERS in changed


def test_a_row_that_is_renamed_or_changed_keeps_its_comments():
    renamed = changed_channels(lambda rows: [{**rows[0], "name": "television"}, *rows[1:]])
    assert " ".join(renamed.split()) == " ".join(SPEC.replace(": tv ", ": television ").split())
    moved = changed_channels(
        lambda rows: [rows[0], {**rows[1], "spend": "all_cost"}, NEW, *rows[2:]]
    )
    assert "# since 2024\n  - name: web\n    spend: all_cost" in moved
    assert "# net of rebates\n\n# what is not media" in moved


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
