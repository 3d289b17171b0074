"""Plans and bounds that people write: what is read, and what is refused with its place and rule."""

import pytest

from schemas.errors import SpecError
from schemas.spec.plan_request import SpendRow
from tasks.store.inputs.plan_files import read_bounds, read_changes, read_plan_file

HOSTILE = "x'); DROP TABLE mart.plans;--"


@pytest.fixture
def file(tmp_path):
    def write(content, name="plan.yaml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def amounts(rows):
    return {row.channel: (row.spend, row.change) for row in rows}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.yaml", "tv: -10%\nsearch: 500000\nradio: '+ 2.5 %'\nsocial: 0\n"),
        (
            "p.json",
            '{"tv": "-10%", "search": 5e5, "radio": "+2.5%", "social": "0"}',
        ),
        ("p.csv", "channel,spend,change\ntv,,-10%\nsearch,500000,\nradio,,2.5%\nsocial,0.0,\n"),
        (
            "p.tsv",
            "channel\tspend\tchange\ntv\t\t−10%\nsearch\t+5e5\t\nradio\t\t2.5%\nsocial\t0\t\n",
        ),
    ],
)
def test_money_and_changes_read_the_same_from_every_format(file, name, content):
    got = amounts(read_plan_file(file(content, name)))
    assert got == {
        "tv": (None, pytest.approx(-0.1)),
        "search": (500_000.0, None),
        "radio": (None, pytest.approx(0.025)),
        "social": (0.0, None),
    }


def test_rows_of_a_table_may_speak_of_an_entity_and_a_period(file):
    table = "channel;entity_id;period;spend\ntv;north;1;10\ntv;north;2;20\n"
    assert read_plan_file(file(table, "p.csv")) == [
        SpendRow(channel="tv", entity_id="north", period=1, spend=10),
        SpendRow(channel="tv", entity_id="north", period=2, spend=20),
    ]


def test_changes_on_the_command_line_take_any_name():
    rows = read_changes([f"{HOSTILE}=-10%", "a=b=5"])
    assert amounts(rows) == {HOSTILE: (None, pytest.approx(-0.1)), "a=b": (5.0, None)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tv: 10%", r"'10%' could be a share of current spend or a change"),
        ("tv: -150%", r"'-150%' is more than all of current spend"),
        ("tv: -5", "-5 is not an amount of money"),
        ("tv: '-5'", "'-5' is negative money; a change has a percent sign"),
        ("tv: .inf", "inf is not an amount"),
        ("tv: 1e999", "'1e999' cannot be read|inf is not an amount"),
        ("tv: ten", "'ten' cannot be read as money"),
        ("tv: '1,000'", "without thousands separators"),
        ("tv: '+x%'", r"'\+x%' cannot be read as a change"),
        ("tv: '%'", "'%' could be|cannot be read as a change"),
        ("tv: true", "bool is not an amount"),
        ("tv:", "NoneType is not an amount"),
        ("tv: {north: 5}", "dict is not an amount"),
        ("- tv", "expected a mapping of channels"),
        ("{}", "no channel is named"),
        ("", "is empty; it should be a plan"),
        ("tv: 1\ntv: 2", "'tv' is given twice"),
        (b"\x80\x04\x95pickle", "is not UTF-8"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("x" * 1_000_001, "larger than 1000 kB"),
    ],
)
def test_a_plan_that_cannot_be_read_says_why(file, content, message):
    with pytest.raises(SpecError, match=message):
        read_plan_file(file(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("channel,spent\ntv,5\n", r"column 'spent' is unknown; did you mean 'spend'"),
        ("spend\n5\n", "column 'channel' is missing"),
        ("channel,spend,change\ntv,5,+5%\n", "line 2: fill either spend or change"),
        ("channel,spend\ntv,\n", "line 2: fill either spend or change"),
        ("channel,spend\n,5\n", "line 2: column channel is empty"),
        ("channel,change\ntv,0.1\n", "line 2: '0.1' cannot be read as a change"),
        ("channel,spend\ntv,5\ntv,6\n", "line 3: speaks of what line 2 speaks of"),
        ("channel,spend,period\ntv,5,0\n", "line 2: period: .*greater than or equal to 1"),
        ("channel,spend,period\ntv,5,soon\n", "line 2: period: .*'soon'"),
        ("channel,spend\ntv\n", "line 2: has 1 cells, the header has 2"),
        ('channel,spend\n"tv', "line 2: unexpected end"),
        ("channel,spend\n", "no channel is named"),
    ],
)
def test_a_table_that_cannot_be_read_names_the_line(file, content, message):
    with pytest.raises(SpecError, match=message):
        read_plan_file(file(content, "p.csv"))


def test_all_problems_are_reported_at_once(file):
    with pytest.raises(SpecError) as caught:
        read_plan_file(file("channel,spend\ntv,x\nradio,-1\nsearch,5\n", "p.csv"))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("entry", ["tv", "=5", " =5", ""])
def test_a_change_without_a_channel_or_an_amount_is_reported(entry):
    with pytest.raises(SpecError, match="is not CHANNEL=AMOUNT"):
        read_changes([entry])


def test_a_channel_that_is_changed_twice_is_reported():
    with pytest.raises(SpecError, match="channel 'tv' is given twice"):
        read_changes(["tv=+5%", "tv=10"])


def test_a_missing_file_and_a_folder_are_named_with_the_option(tmp_path):
    with pytest.raises(SpecError, match=r"--what-if: .*gone\.csv does not exist"):
        read_plan_file(tmp_path / "gone.csv")
    with pytest.raises(SpecError, match=r"--bounds: .* is a folder"):
        read_bounds(tmp_path)


def test_bounds_are_read_as_the_spec_has_them(file):
    bounds = read_bounds(
        file(
            f'{{"channels": {{"{HOSTILE}": {{"low": 0.5, "max_spend": 900}}}}, '
            '"groups": [{"name": "online", "channels": ["search"], "max_share": 0.4}]}',
            "bounds.json",
        )
    )
    assert bounds.channels[HOSTILE].low == 0.5
    assert bounds.channels[HOSTILE].max_spend == 900
    assert bounds.groups[0].max_share == 0.4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("chanels: {}", r"bounds\.yaml.*\n- chanels: unknown key; did you mean 'channels'"),
        ("channels: {tv: {hgh: 2}}", r"channels\.tv\.hgh: unknown key; did you mean 'high'"),
        ("groups: [{name: a, channel: [x]}]", r"groups\.0\.channel: .*did you mean 'channels'"),
        ("channels: {tv: {low: 2, high: 1}}", r"channels\.tv: the lower bound 2 is above"),
        ("channels: {tv: {low: -1}}", r"channels\.tv\.low: .*greater than or equal to 0"),
        ("channels: {tv: {low: .nan}}", r"channels\.tv\.low: .*finite"),
        ("groups: [{name: a, channels: [x]}]", "group 'a' has no bound"),
        ("- tv", "expected a mapping"),
        ("", "is empty; it should be a file of bounds"),
    ],
)
def test_bounds_that_cannot_be_used_name_file_and_key(file, content, message):
    with pytest.raises(SpecError, match=message):
        read_bounds(file(content, "bounds.yaml"))
