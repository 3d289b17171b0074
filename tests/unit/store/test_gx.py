"""Expectations that work out their configuration once are the library's own in all else."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pandas as pd
import pytest

from schemas.outcomes import Layer
from tasks.store.gx import ExpectationError, _frames, expand_suite, read_suite, run_suite
from tasks.store.gx_import import copying_fields_lightly

with copying_fields_lightly():  # as a refit does: a third of what the import costs
    import great_expectations as gx
    from great_expectations.expectations import registry

COLUMNS = {
    Layer.RAW: ("number", "kpi", "spend", "activity", "filled"),
    Layer.CANONICAL: ("paired_channel",),
    Layer.FEATURES: ("number", "channel"),
}
PARAMETERS = {
    "min_present_share": 0.9,
    "max_unpaired_share": 0.5,
    "unpaired_share_review": 0.1,
    "min_robust_z": -3.0,
    "max_robust_z": 3.0,
    "max_abs_correlation": 0.9,
    "max_vif": 10.0,
    "min_rows_per_parameter": 5.0,
}


def _suite_and_frame(layer):
    suite = expand_suite(read_suite(layer), {role: ["tv"] for role in COLUMNS[layer]})
    frame = pd.DataFrame({"line": [1, 2, 3, 4]})
    for entry in suite["expectations"]:
        kwargs = entry["kwargs"]
        for column in [kwargs.get("column"), *kwargs.get("column_list", [])]:
            if column is not None:
                frame[column] = [-5.0, 0.2, None, 0.2]
    return suite, frame


@pytest.fixture
def library(monkeypatch):
    """The library with the classes that it came with."""
    own = {
        name: made.__base__ if made.__module__ == "tasks.store.gx" else made
        for name, made in registry._registered_expectations.items()
    }
    monkeypatch.setattr(registry, "_registered_expectations", own)
    return own


@pytest.mark.parametrize("layer", list(Layer))
def test_a_suite_finds_what_the_library_finds(layer, library, monkeypatch):
    suite, frame = _suite_and_frame(layer)
    found = {}
    for mended in (False, True):
        with monkeypatch.context() as patch:
            if not mended:
                patch.setattr("tasks.store.gx._read_once", lambda _types: None)
                patch.setattr("tasks.store.gx.identifying_lightly", nullcontext)
            found[mended] = run_suite(frame, suite, parameters=PARAMETERS, index_columns=["line"])
        are_ours = {
            library[e["type"]].__module__ == "tasks.store.gx" for e in suite["expectations"]
        }
        assert are_ours == {mended}
    assert found[True] == found[False]
    assert not found[True]["success"]


def test_a_configuration_is_worked_out_once(library):
    suite, frame = _suite_and_frame(Layer.RAW)
    run_suite(frame, suite, parameters=PARAMETERS, index_columns=["line"])
    one = gx.expectations.ExpectColumnValuesToBeNull(column="tv", mostly=0.5)
    ours = library[one.expectation_type](column="tv", mostly=0.5)
    assert ours.configuration is ours.configuration
    assert ours.configuration == one.configuration
    assert ours.dict() == one.dict()


def test_suites_at_once_are_each_of_their_own_rows_and_none_are_kept():
    suite, frame = _suite_and_frame(Layer.RAW)
    frames = [frame.iloc[:n].copy() for n in (2, 3, 4, 2, 3, 4)]

    def judged(rows):
        return run_suite(rows, suite, parameters=PARAMETERS, index_columns=["line"])

    alone = [judged(rows) for rows in frames]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(judged, frames)) == alone
    counts = [{r["element_count"] for r in one["results"]} - {None} for one in alone]
    assert counts == [{2}, {3}, {4}, {2}, {3}, {4}]
    engine = _frames().data_asset.datasource.get_execution_engine()
    assert engine.batch_manager.batch_data_cache == engine.batch_manager.batch_cache == {}


def test_an_unknown_expectation_is_an_error():
    suite = {"name": "raw", "expectations": [{"type": "expect_wonders", "kwargs": {}, "meta": {}}]}
    with pytest.raises(ExpectationError, match="unknown type"):
        run_suite(pd.DataFrame({"x": [1]}), suite, parameters={}, index_columns=[])
