"""What a refusal of features, names or a kind advises leads to the features of a clean file.

As in ``test_remedies``: equal features are equal fits, so nothing is sampled.
"""

import math

import numpy as np
import pandas as pd
import pytest

from schemas.errors import SpecError
from schemas.outcomes import Verdict
from tasks.features.task import build_features
from tasks.store.files.artifacts import read_parquet
from tasks.store.home import current_home
from tasks.validate.task import validate_features

TV = {"name": "tv", "activity": "act_tv", "spend": "spend_tv"}


def features_of(world, content, **spec):
    """Features as a refit would build them, and what is said of them."""
    own = world.with_spec(**spec)
    built = build_features.fn(own.key, own.snapshot(content), own.spec)
    return (
        read_parquet(current_home(), built.features),
        validate_features.fn(own.key, built, own.spec),
    )


def failed(outcome):
    return [f for f in outcome.findings if f.verdict is Verdict.FAIL]


def varied(lines, n_periods=104, **columns):
    """A panel in which TV moves at random, with more columns: functions of period and of its TV."""
    chance = np.random.default_rng(7)
    header, *rows = lines(n_periods)
    out = [",".join([header, *columns])]
    for t, row in enumerate(rows):
        cells = row.split(",")
        tv = int(chance.integers(1, 31))
        cells[3:5] = [str(tv), str(tv * 2.5)]
        out.append(",".join([*cells, *(str(make(t, tv)) for make in columns.values())]))
    return out


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ("constant_channel", lambda _t, _tv: 40),
        ("constant_channel", lambda t, _tv: 9 if t == 0 else 0),
        ("collinear_channels", lambda _t, tv: 3 * tv),
    ],
    ids=["never changes", "ran before the window", "moves with another"],
)
def test_a_channel_that_is_dropped_as_advised_is_as_if_it_were_not_there(world, lines, rule, other):
    windows = {"windows": {"carryover_months": 2, "estimation_months": 20}}
    rows = varied(lines, act_web=other, spend_web=other)
    _, refused = features_of(world, rows, **windows)
    finding = next(f for f in failed(refused) if f.rule == rule)
    assert "rop" in finding.remedy
    got, accepted = features_of(world, rows, channels=[TV], **windows)
    assert failed(accepted) == []
    expected, _ = features_of(world, varied(lines), channels=[TV], **windows)
    pd.testing.assert_frame_equal(got, expected)


def test_a_window_in_which_a_channel_ran_is_fitted(world, lines):
    early = {"act_web": lambda t, _tv: (t * 5) % 7 * (t < 52), "spend_web": lambda t, _tv: t < 52}
    rows = varied(lines, **early)
    flat = {"model": {"yearly_seasonality": 0}}
    _, refused = features_of(world, rows, **flat, windows={"estimation_months": 6})
    (finding,) = failed(refused)
    assert finding.rule == "constant_channel"
    assert "window in which it ran" in finding.remedy
    got, accepted = features_of(world, rows, **flat, windows={"estimation_months": 23})
    assert failed(accepted) == []
    assert got.loc[got["is_estimation"], "act_web"].nunique() > 2


def test_two_channels_that_are_merged_as_advised_are_one(world, lines):
    twice = {"act_web": lambda _t, tv: 3 * tv, "spend_web": lambda _t, tv: 4 * tv}
    _, refused = features_of(world, varied(lines, **twice))
    assert "collinear_channels" in {f.rule for f in failed(refused)}
    rows = varied(lines)
    merged = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        tv = float(cells[3])
        merged.append(",".join([*cells[:3], str(tv + 3 * tv), str(2.5 * tv + 4 * tv), cells[5]]))
    got, accepted = features_of(world, merged)
    assert failed(accepted) == []
    alone, _ = features_of(world, varied(lines))
    pd.testing.assert_series_equal(got["act_tv"], alone["act_tv"] * 4)
    pd.testing.assert_series_equal(got["spend_tv"], alone["spend_tv"] * 2.6)


LOGARITHMIC = {
    "feature_config": {"adstock": {"per_channel": {"act_tv": 0.5}}},
    "model": {"kind": "log_student_t"},
}


def test_a_kpi_of_both_signs_is_read_by_the_kind_that_adds_up(world, lines):
    def less(t, _tv):
        return round(200 * math.sin(t), 3)

    rows = varied(lines, net_adds=less, joiners=lambda t, _tv: 500 + t % 7)
    spec = {"target_col": "net_adds", "channels": [TV], "level": "brand"}
    refused = world.with_spec(**spec, **LOGARITHMIC).canonical(rows)
    (finding,) = failed(refused)
    assert finding.rule == "negative_kpi"
    assert "model.kind to mmm" in finding.remedy
    got, accepted = features_of(world, rows, **spec, model={"kind": "mmm"})
    assert failed(accepted) == []
    assert got["net_adds"].tolist() == pytest.approx([less(t, 0) for t in range(104)])
    joined = world.with_spec(**{**spec, "target_col": "joiners"}, **LOGARITHMIC).canonical(rows)
    assert failed(joined) == []


def test_an_entity_that_is_renamed_in_all_of_its_rows_is_any_other(world, lines):
    clean = lines(entities=("north", "south"))
    rows = [row.replace("south", "All") for row in clean]
    (finding,) = failed(world.canonical(rows))
    assert finding.rule == "entity_name"
    assert finding.remedy.startswith("Rename it in the file, in all of its rows")
    followed = [row.replace("All", "south") for row in rows]
    got, _ = features_of(world, followed)
    expected, _ = features_of(world, clean)
    pd.testing.assert_frame_equal(got, expected)


def test_kinds_that_need_a_rectangle_get_one_as_advised(world, lines):
    late = [*varied(lines), *(row.replace("north", "south") for row in varied(lines)[45:])]
    ridge = {"model": {"kind": "ridge"}}
    with pytest.raises(SpecError, match=r"set model.kind to mmm.*or level to brand"):
        features_of(world, late, **ridge)
    fitted, _ = features_of(world, late, model={"kind": "mmm"})
    assert fitted.groupby("entity_id").size().to_dict() == {"north": 104, "south": 60}
    summed, accepted = features_of(world, late, level="brand", **ridge)
    assert failed(accepted) == []
    alone = fitted[fitted["entity_id"] == "north"]["sales"].to_numpy()
    both = alone.copy()
    both[44:] += fitted[fitted["entity_id"] == "south"]["sales"].to_numpy()
    assert summed["sales"].tolist() == both.tolist()


@pytest.mark.parametrize(
    ("spec", "said", "followed"),
    [
        (
            {"model": {"non_negative_baseline": True}, "target_col": "net_adds"},
            "leave it out",
            {"target_col": "net_adds"},
        ),
        (
            {"windows": {"estimation_months": 11}},
            "set it to 0, or fit more history",
            {"windows": {"estimation_months": 13}},
        ),
        (
            {"model": {"events": [{"name": "fair", "dates": ["2020-05-04"]}]}},
            "leave it out until it has been seen",
            {},
        ),
        (
            {"model": {"events": [{"name": "tv", "dates": ["2024-05-06"]}]}},
            "rename it",
            {"model": {"events": [{"name": "fair", "dates": ["2024-05-06"]}]}},
        ),
    ],
    ids=["baseline above zero", "half a year", "an event unseen", "an event like a channel"],
)
def test_what_a_history_cannot_report_is_built_once_the_spec_is_changed(
    world, lines, spec, said, followed
):
    rows = varied(lines, net_adds=lambda t, _tv: round(200 * math.sin(t), 3))
    base = {"channels": [TV], "target_col": "sales"}
    with pytest.raises(SpecError, match=said):
        features_of(world, rows, **base | spec)
    _, accepted = features_of(world, rows, **base | followed)
    assert failed(accepted) == []
