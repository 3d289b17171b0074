"""Which column plays which role."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SpecError
from schemas.spec.errors import parse_run_spec
from schemas.spec.roles import ColumnRoles, resolve_roles
from tasks.canonicalize.stored_roles import header_of_stored

COLUMNS = [
    "entity_id",
    "period_start",
    "sales",
    "act_tv",
    "act_search",
    "spend_tv",
    "spend_radio",
    "ctrl_price",
    "note",
]


def roles_of(header, /, **keys):
    return resolve_roles(parse_run_spec({"dataset_id": "d", **keys}), header)


def test_prefixes_decide_where_the_spec_is_silent():
    roles = roles_of(COLUMNS)
    found = {c.name: (c.activity, c.spend, c.input_column) for c in roles.channels}
    assert found == {
        "tv": ("act_tv", "spend_tv", "act_tv"),
        "search": ("act_search", None, "act_search"),
        "radio": (None, "spend_radio", "spend_radio"),
    }
    assert [(c.name, c.source, c.column) for c in roles.controls] == [
        ("price", "ctrl_price", "ctrl_price")
    ]
    assert (roles.entity, roles.period, roles.kpi) == ("entity_id", "period_start", "sales")


@given(st.permutations([*COLUMNS, "act_radio_2", "ctrl_a"]))
def test_what_is_found_by_prefix_has_one_order_whatever_the_header_has(header):
    roles = roles_of(header)
    assert [c.name for c in roles.channels] == ["radio", "radio_2", "search", "tv"]
    assert [c.name for c in roles.controls] == ["a", "price"]


def test_what_the_warehouse_holds_has_the_order_of_the_file():
    held = {("kpi", "sales"), ("control", "price"), ("spend", "radio"), ("spend", "tv")}
    held |= {("activity", "tv"), ("activity", "search")}
    spec = parse_run_spec({"dataset_id": "d"})
    known = resolve_roles(spec, header_of_stored(spec, held))
    assert [c.name for c in known.channels] == [c.name for c in roles_of(COLUMNS).channels]


def test_a_vendor_file_is_read_by_the_names_in_the_spec():
    header = ["geo", "date", "umsatz", "TV GRPs", "TV EUR", "Preis", "wert"]
    roles = roles_of(
        header,
        columns={"entity_id": "geo", "period_start": "date"},
        target_col="umsatz",
        kpi={"kind": "count", "value_per_unit": "wert"},
        channels=[{"name": "tv", "activity": "TV GRPs", "spend": "TV EUR"}],
        controls=["Preis"],
    )
    assert (roles.entity, roles.period) == ("geo", "date")
    assert roles.numeric_sources() == {
        "umsatz": "umsatz",
        "value_per_unit": "wert",
        "act_tv": "TV GRPs",
        "spend_tv": "TV EUR",
        "ctrl_Preis": "Preis",
    }


def test_a_control_in_the_long_form_keeps_what_is_said_of_it():
    price = {"name": "ctrl_price", "sign": "negative", "decay": 0.4, "max_lag": 3}
    (role,) = roles_of(COLUMNS, controls=[price]).controls
    assert (role.name, role.source, role.column) == ("price", "ctrl_price", "ctrl_price")
    assert (role.sign, role.decay, role.max_lag) == ("negative", 0.4, 3)


def test_a_channel_keeps_its_own_shapes():
    tv = {"name": "tv", "activity": "act_tv", "adstock": {"kind": "binomial"}}
    radio = {"name": "radio", "spend": "spend_radio", "saturation": {"kind": "root"}}
    roles = roles_of(COLUMNS, channels=[tv, radio])
    assert [c.adstock and c.adstock.kind for c in roles.channels] == ["binomial", None]
    assert [c.saturation and c.saturation.kind for c in roles.channels] == [None, "root"]


def test_roles_survive_the_column_info_of_a_run():
    price = {"name": "ctrl_price", "sign": "negative", "decay": 0.4}
    roles = roles_of(COLUMNS, controls=[price])
    assert ColumnRoles.model_validate_json(roles.model_dump_json()) == roles


@pytest.mark.parametrize("control", ["ctrl_price", {"name": "ctrl_price", "decay": 0.4}])
def test_a_control_is_found_again_in_what_the_warehouse_holds(control):
    spec = parse_run_spec({"dataset_id": "d", "drivers": ["act_tv"], "controls": [control]})
    held = {("kpi", "sales"), ("activity", "tv"), ("control", "price")}
    header = header_of_stored(spec, held)
    assert header == ["period_start", "entity_id", "sales", "act_tv", "ctrl_price"]
    assert "ctrl_price" not in header_of_stored(spec, held - {("control", "price")})


def test_drivers_name_activity_and_find_their_spend():
    roles = roles_of(COLUMNS, drivers=["act_tv", "spend_radio"], controls=[])
    assert [(c.name, c.activity, c.spend) for c in roles.channels] == [
        ("tv", "act_tv", "spend_tv"),
        ("radio", None, "spend_radio"),
    ]
    assert roles.controls == []


def test_a_file_without_an_entity_column_has_no_entity_role():
    assert roles_of([c for c in COLUMNS if c != "entity_id"]).entity is None


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (
            {"target_col": "saless"},
            "target_col: the file has no column 'saless'; did you mean 'sales'?",
        ),
        ({"drivers": ["act_tvv"]}, "did you mean 'act_tv'?"),
        ({"controls": ["ctrl_prise"]}, "did you mean 'ctrl_price'?"),
        ({"columns": {"period_start": "zzzz"}}, "it has: entity_id, period_start"),
        ({"columns": {"entity_id": "entity"}}, "did you mean 'entity_id'?"),
        ({"kpi": {"value_per_unit": "price"}}, "kpi.value_per_unit"),
        ({"channels": [{"name": "tv", "spend": "spend_tw"}]}, "did you mean 'spend_tv'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_misspelled_column_is_refused_with_the_nearest_one(keys, says):
    with pytest.raises(SpecError) as caught:
        roles_of(COLUMNS, **keys)
    assert says in str(caught.value)


def test_a_missing_key_column_is_pointed_to_columns_and_nothing_is_guessed():
    with pytest.raises(SpecError) as caught:
        roles_of(["week", *(c for c in COLUMNS if c != "period_start")])
    assert "columns: {period_start: NAME}; the file has: week, entity_id" in str(caught.value)
    assert "did you mean" not in str(caught.value)


def test_all_missing_columns_are_reported_together():
    with pytest.raises(SpecError) as caught:
        roles_of(COLUMNS, target_col="a1", drivers=["b2"], controls=["c3"])
    assert len(caught.value.problems) == 3


def test_a_file_without_any_channel_is_refused():
    with pytest.raises(SpecError, match="no channel"):
        roles_of(["period_start", "sales"])


@given(st.permutations(COLUMNS))
def test_roles_do_not_depend_on_the_order_of_columns(columns):
    def as_sets(roles):
        found = roles.model_dump()
        found["channels"] = {c.name: c for c in roles.channels}
        found["controls"] = {c.name: c for c in roles.controls}
        return found

    assert as_sets(roles_of(columns)) == as_sets(roles_of(COLUMNS))


@given(st.permutations(COLUMNS))
def test_no_two_roles_share_a_canonical_column(columns):
    roles = roles_of(columns)
    sources = roles.numeric_sources()
    n_inputs = sum((c.activity is not None) + (c.spend is not None) for c in roles.channels)
    assert len(sources) == 1 + n_inputs + len(roles.controls)


@pytest.mark.parametrize(
    "hostile", ["act_x'); DROP TABLE kpi;--", "act_..", 'act_"', "act_ä ö", "act_a/b"]
)
def test_a_hostile_column_name_is_just_a_name(hostile):
    roles = roles_of([*COLUMNS, hostile])
    assert hostile in {c.activity for c in roles.channels}
