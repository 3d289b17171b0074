"""The run spec: what is accepted, what is refused, and how a refusal reads."""

import pytest

from schemas.errors import SpecError
from schemas.run_spec import Grain, KpiKind, Level, ModelKind, RunSpec
from schemas.spec_errors import parse_run_spec

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


def refusal(**keys) -> str:
    with pytest.raises(SpecError) as caught:
        parse_run_spec({"dataset_id": "demo", **keys}, source="spec.yaml")
    return str(caught.value)


def test_the_published_full_spec_is_accepted():
    spec = parse_run_spec(FULL)
    assert spec.model.kind is ModelKind.LOG_STUDENT_T
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
    assert spec.model.kind is ModelKind.LOG_STUDENT_T
    assert not spec.features.saturation.enabled
    assert (spec.sampler.draws, spec.sampler.chains) == (1000, 2)


def test_a_dataset_id_is_all_that_must_be_given():
    spec = parse_run_spec({"dataset_id": "demo"})
    assert spec.model.kind is ModelKind.MMM
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
