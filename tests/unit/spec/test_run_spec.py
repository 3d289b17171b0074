"""The run spec: what is accepted, what is refused, and how a refusal reads."""

import re

import pytest

from schemas.errors import SpecError
from schemas.spec.baseline import ControlSpec, EventSpec, TrendKind
from schemas.spec.channels import PriorQuantity
from schemas.spec.errors import parse_run_spec
from schemas.spec.kinds import ModelKind
from schemas.spec.kpi import KpiKind
from schemas.spec.run_spec import Grain, Level, RunSpec

FULL = {
    "dataset_id": "my_dataset",
    "grain": "WEEK",
    "target_col": "sales",
    "drivers": ["act_tv", "act_digital", "act_radio"],
    "controls": ["ctrl_price_index"],
    "feature_config": {
        "adstock": {
            "decay_default": 0.5,
            "per_channel": {"act_tv": 0.7, "act_digital": 0.3},
            "max_lag": 13,
        },
        "saturation": {"enabled": True, "type": "hill", "K": 0.5, "S": 1.0},
        "seasonality": {"enabled": True, "K": 2},
        "trend": {"enabled": True},
    },
    "windows": {"carryover_months": 12, "estimation_months": 12},
    "draws": 1000,
    "tune": 1000,
    "chains": 2,
    "target_accept": 0.9,
    "random_seed": 42,
}
MINIMAL = {
    "dataset_id": "sample_001",
    "grain": "WEEK",
    "target_col": "sales",
    "drivers": ["act_tv", "act_digital", "act_social"],
    "controls": ["ctrl_price", "ctrl_promo"],
    "feature_config": {
        "adstock": {"decay_default": 0.5, "per_channel": {}, "max_lag": 13},
        "saturation": {"enabled": False},
        "seasonality": {"enabled": True, "K": 2},
        "trend": {"enabled": True},
    },
    "windows": {"carryover_months": 12, "estimation_months": 12},
    "random_seed": 42,
}
CHANNELS = [{"name": "tv", "spend": "spend_tv"}]
RIVAL = {"kind": "competitor", "activity": "act_rival"}
LAUNCH = {"name": "launch", "dates": ["2024-05-05"]}


def refusal(**keys) -> str:
    with pytest.raises(SpecError) as caught:
        parse_run_spec({"dataset_id": "demo", **keys}, source="spec.yaml")
    return str(caught.value)


def test_the_published_full_spec_is_accepted():
    spec = parse_run_spec(FULL)
    assert spec.model.kind == ModelKind.LOG_STUDENT_T
    assert spec.effective_level is Level.BRAND
    assert spec.grain is Grain.WEEK
    assert spec.features.adstock.per_channel == {"act_tv": 0.7, "act_digital": 0.3}
    assert spec.features.adstock.max_lag == 13
    assert (spec.sampler.draws, spec.sampler.tune, spec.sampler.chains) == (1000, 1000, 2)
    assert (spec.sampler.target_accept, spec.sampler.random_seed) == (0.9, 42)
    assert spec.windows is not None
    assert spec.windows.carryover_months == 12


def test_the_published_minimal_spec_is_accepted_and_the_rest_defaults():
    spec = parse_run_spec(MINIMAL)
    assert spec.model.kind == ModelKind.LOG_STUDENT_T
    assert not spec.features.saturation.enabled
    assert (spec.sampler.draws, spec.sampler.chains) == (1000, 2)


def test_a_dataset_id_is_all_that_must_be_given():
    spec = parse_run_spec({"dataset_id": "demo"})
    assert spec.model.kind == ModelKind.MMM
    assert spec.effective_level is Level.ENTITY
    assert spec.kpi.kind is KpiKind.REVENUE
    assert spec.kpi_name == "sales"
    assert spec.features.adstock.decay_default == 0.5


def test_the_kpi_can_be_named_apart_from_its_column():
    spec = parse_run_spec(
        {"dataset_id": "d", "target_col": "revenue_eur", "kpi": {"name": "sales"}}
    )
    assert spec.kpi_name == "sales"


def test_a_spec_survives_being_written_and_read_again():
    spec = parse_run_spec(FULL)
    assert parse_run_spec(spec.model_dump(mode="json")) == spec
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("keys", "place", "hint"),
    [
        ({"datset_id": 1}, "datset_id", "dataset_id"),
        ({"target_column": "y"}, "target_column", "target_col"),
        ({"sampler": {"drawz": 10}}, "sampler.drawz", "draws"),
        ({"model": {"adstok": {}}}, "model.adstok", "adstock"),
        ({"model": {"adstock": {"lmax": 4}}}, "model.adstock.lmax", "l_max"),
        ({"gates": {"sampling": {"rhat_pass": 1.01}}}, "gates.sampling.rhat_pass", "r_hat_pass"),
        ({"channels": [{"name": "tv", "spends": "s"}]}, "channels.0.spends", "spend"),
        ({"feature_config": {"trends": {}}}, "feature_config.trends", "trend"),
        ({"controls": [{"name": "a", "decey": 0.5}]}, "controls.0.decey", "decay"),
        ({"model": {"trend": {"changepoint": 3}}}, "model.trend.changepoint", "changepoints"),
        ({"model": {"events": [{"name": "a", "date": []}]}}, "model.events.0.date", "dates"),
        (
            {"channels": [{"name": "a", "spend": "s", "saturation": {"kinds": "hill"}}]},
            "channels.0.saturation.kinds",
            "kind",
        ),
        ({"channels": [{"name": "a", "spend": "s", "prior": {"med": 1}}]}, "prior.med", "median"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(keys, place, hint):
    message = refusal(**keys)
    assert f"{place}: unknown key; did you mean {hint!r}?" in message


def test_an_unknown_key_that_resembles_nothing_lists_the_known_ones():
    assert "known keys: " in refusal(zzzzzzzz=1)
    assert "dataset_id" in refusal(zzzzzzzz=1)


def test_all_problems_are_reported_together():
    with pytest.raises(SpecError) as caught:
        parse_run_spec({"sampler": {"draws": 1, "chains": 1}, "grain": "DAY"}, source="spec.yaml")
    places = {problem.split(":")[0] for problem in caught.value.problems}
    assert places == {"dataset_id", "sampler.draws", "sampler.chains", "grain"}
    assert "spec.yaml" in str(caught.value)


@pytest.mark.parametrize("spelled", ["week", "Week", " WEEK "])
def test_a_choice_is_read_in_any_case(spelled: str) -> None:
    assert parse_run_spec(MINIMAL | {"grain": spelled}).grain is Grain.WEEK


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"drivers": ["act_tv"], "channels": CHANNELS}, "drivers or channels, not both"),
        ({"channels": CHANNELS * 2}, "channel named twice: tv"),
        ({"drivers": ["act_tv", "act_tv"]}, "channel named twice: act_tv"),
        ({"controls": ["ctrl_a", "ctrl_a"]}, "control named twice: ctrl_a"),
        ({"draws": 100, "sampler": {"draws": 200}}, "draws is given twice"),
        ({"model": {"kind": "mmm"}, "feature_config": {}}, "use model.adstock"),
        ({"channels": [{"name": "tv"}]}, "needs an activity column or a spend column"),
        (
            {"channels": [{"name": "mail", "kind": "owned", "spend": "s"}]},
            "spend belongs to paid channels only",
        ),
        (
            {"channels": [{"name": "tv", "spend": "s", "prior": {"median": 5}}]},
            "write 5 percent as 0.05",
        ),
        (
            {
                "channels": [
                    {"name": "tv", "activity": "a", "prior": {"quantity": "roas", "median": 2}}
                ]
            },
            "ROAS prior but no spend",
        ),
        (
            {"channels": [{"name": "rival", **RIVAL, "prior": {"median": -1.5}}]},
            "must be below 1 in size",
        ),
        (
            {"channels": [{"name": "rival", **RIVAL, "prior": {"median": 0.05}}]},
            "'rival' is competitor and never adds, but its prior has the positive median 0.05; "
            "write -0.05",
        ),
        (
            {"channels": [{"name": "tv", "spend": "s", "prior": {"median": -0.1}}]},
            "'tv' is paid and never takes, but its prior has the negative median -0.1; write 0.1",
        ),
        (
            {
                "channels": [
                    {"name": "mail", "kind": "owned", "activity": "a", "prior": {"median": -0.1}}
                ]
            },
            "'mail' is owned and never takes",
        ),
        (
            {"channels": [{"name": "tv", "spend": "s", "prior": {"median": 0}}]},
            "'tv' has a prior with median 0, which is no size",
        ),
        (
            {
                "channels": [
                    {
                        "name": "rival",
                        **RIVAL,
                        "prior": {"quantity": "coefficient", "median": 0.2},
                    }
                ]
            },
            "write -0.2",
        ),
        ({"controls": ["ctrl_a", {"name": "ctrl_a"}]}, "control named twice: ctrl_a"),
        ({"model": {"events": [LAUNCH, LAUNCH]}}, "event named twice: launch"),
        (
            {"model": {"holidays": "DE", "events": [{**LAUNCH, "name": "holidays"}]}},
            "event named twice: holidays",
        ),
        ({"model": {"events": [{"name": "launch"}]}}, "needs dates, or start and end"),
        ({"model": {"events": [{"name": "a", "dates": []}]}}, "needs dates, or start and end"),
        (
            {"model": {"events": [{"name": "a", "start": "2024-01-01"}]}},
            "needs dates, or start and end",
        ),
        (
            {"model": {"events": [{**LAUNCH, "start": "2024-01-01", "end": "2024-01-02"}]}},
            "not both",
        ),
        (
            {"model": {"events": [{"name": "a", "start": "2024-02-01", "end": "2024-01-02"}]}},
            "'a' ends 2024-01-02, before it starts 2024-02-01",
        ),
        ({"kpi": {"value_per_unit": -1.0}}, "must be positive"),
        ({"columns": {"sales": "umsatz"}}, "target_col"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_contradictions_are_refused_with_a_way_out(keys, says):
    assert says in refusal(**keys)


@pytest.mark.parametrize("value", [0, -1, 5])
def test_a_value_out_of_bounds_is_named_with_what_was_given(value):
    message = refusal(draws=value)
    assert "sampler.draws" in message
    assert f"got {value}" in message


@pytest.mark.parametrize(
    "dataset_id",
    ["../x", "a/b", "a\\b", "", ".", "..", ".hidden", "a b", "a\n", "a\x00b", "x" * 65, "ä", "-rf"],
)
def test_a_dataset_id_that_could_leave_its_folder_is_refused(dataset_id):
    with pytest.raises(SpecError, match="dataset_id"):
        parse_run_spec({"dataset_id": dataset_id})


@pytest.mark.parametrize("raw", [None, [], "text", 3])
def test_a_document_that_is_no_mapping_is_refused(raw):
    with pytest.raises(SpecError, match=r"spec\.yaml: expected a mapping"):
        parse_run_spec(raw, source="spec.yaml")


@pytest.mark.parametrize(
    "keys",
    [
        {"sampler": 3},
        {"sampler": ["draws"]},
        {"sampler": 3, "draws": 10},
        {"model": "mmm"},
        {"model": [3], "feature_config": {}},
        {"feature_config": "x"},
        {"channels": "tv"},
        {"channels": [3]},
        {"columns": ["a"]},
        {"gates": {"data": None}},
        {1: 2},
    ],
    ids=str,
)
def test_a_wrong_shape_is_a_spec_error_and_never_a_traceback(keys):
    with pytest.raises(SpecError):
        parse_run_spec({"dataset_id": "d", **keys})


def test_a_spec_is_frozen():
    spec = parse_run_spec({"dataset_id": "d"})
    with pytest.raises(ValueError, match="frozen"):
        spec.target_col = "x"


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (True, "linear"),
        (False, "none"),
        ("gp", "gp"),
        ({"kind": "piecewise", "changepoints": 3}, "piecewise"),
        ({}, "linear"),
    ],
)
def test_a_trend_is_written_short_or_long(written, kind):
    spec = parse_run_spec({"dataset_id": "d", "model": {"trend": written}})
    assert spec.model.trend.kind == kind
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_trend_of_an_unknown_kind_names_the_known_ones():
    message = refusal(model={"trend": "quadratic"})
    assert "model.trend.kind" in message
    assert all(kind in message for kind in TrendKind)


def test_controls_are_written_short_or_long():
    price = {"name": "ctrl_price", "sign": "negative", "decay": 0.3}
    spec = parse_run_spec({"dataset_id": "d", "controls": ["ctrl_promo", price]})
    assert spec.controls == [ControlSpec(name="ctrl_promo"), ControlSpec(**price)]
    assert (spec.controls[0].sign, spec.controls[0].decay, spec.controls[0].max_lag) == (
        "any",
        0,
        8,
    )
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_that_is_no_share_is_refused(decay):
    assert "controls.0.decay" in refusal(controls=[{"name": "a", "decay": decay}])


def test_the_last_day_of_an_event_belongs_to_it():
    event = EventSpec(name="a", start="2024-02-28", end="2024-03-01")
    assert [str(day) for day in event.days] == ["2024-02-28", "2024-02-29", "2024-03-01"]


def test_a_day_named_twice_counts_once():
    event = EventSpec(name="a", dates=["2024-03-01", "2024-02-28", "2024-03-01"])
    assert [str(day) for day in event.days] == ["2024-02-28", "2024-03-01"]


def test_a_competitor_takes_a_negative_prior():
    prior = {"quantity": "coefficient", "median": -2.5, "spread": 0.5}
    spec = parse_run_spec({"dataset_id": "d", "channels": [{"name": "r", **RIVAL, "prior": prior}]})
    assert spec.channels[0].prior.quantity is PriorQuantity.COEFFICIENT
    assert spec.channels[0].prior.median == -2.5


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"model": {"events": [LAUNCH]}}, "model.events"),
        ({"model": {"holidays": "DE"}}, "model.holidays"),
        ({"model": {"likelihood": "student_t"}}, "model.likelihood"),
        ({"model": {"non_negative_baseline": True}}, "model.non_negative_baseline"),
        ({"model": {"time_varying_media": True}}, "model.time_varying_media"),
        ({"model": {"trend": "gp"}}, "model.trend"),
        ({"controls": [{"name": "a", "sign": "positive"}]}, "sign or decay of control 'a'"),
        ({"channels": [{**CHANNELS[0], "adstock": {}}]}, "adstock or saturation of channel 'tv'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_other_kinds_know_is_not_ignored_elsewhere(keys, named):
    model = {"kind": "log_student_t", **keys.get("model", {})}
    message = refusal(**{**keys, "model": model})
    assert re.search(
        rf"{re.escape(named)}: only kinds? mmm(, ridge)?(, causal_gru)? knows? this", message
    )
    parse_run_spec({"dataset_id": "d", **keys})


def test_the_level_may_be_called_by_what_it_is():
    summed = parse_run_spec({"dataset_id": "d", "aggregation": "brand"})
    assert summed == parse_run_spec({"dataset_id": "d", "level": "brand"})
    assert summed.model_dump()["level"] == "brand"
    message = refusal(level="brand", aggregation="entity")
    assert "aggregation" in message
