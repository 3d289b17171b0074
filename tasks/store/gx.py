"""Great Expectations: run one suite on one frame and return its plain result.

Belongs here: reading suites, expanding them over columns, the ephemeral context.
Does not: turning results into findings (``tasks.validate``).
Invariant: every expectation of the file was evaluated; one that is dropped or errs is an error.
"""

import importlib.resources
import json
import logging
import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from schemas.outcomes import MAX_PLACES, Layer
from tasks.store.gx_import import copying_fields_lightly, identifying_lightly

if TYPE_CHECKING:
    import pandas as pd

_one_at_a_time = Lock()
"""Great Expectations knows one context a process, with one frame in it."""


class ExpectationError(RuntimeError):
    """An expectation could not be evaluated, so the layer has no verdict."""


def read_suite(layer: Layer) -> dict[str, Any]:
    """Read a layer's suite as it is kept in ``schemas/suites``.

    Returns
    -------
    dict
        ``name`` and ``expectations``, each with ``type``, ``kwargs`` and ``meta``.
    """
    text = (
        importlib.resources.files("schemas.suites")
        .joinpath(f"{layer.value}.json")
        .read_text("utf-8")
    )
    return dict(json.loads(text))


def expand_suite(suite: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Write an entry with ``for_each: <role>`` once per column of that role.

    ``{column}`` in its ``kwargs`` becomes the column, and ``meta.column`` names it.

    Parameters
    ----------
    suite
        ``name`` and ``expectations``, each with ``type``, ``kwargs``, ``meta`` and perhaps
        ``for_each``, as the files of ``schemas/suites`` have them.
    columns
        Names of the columns of each role.

    Returns
    -------
    dict
        ``name`` and ``expectations`` as Great Expectations takes them.
    """
    expectations = []
    for entry in suite["expectations"]:
        role = entry.get("for_each")
        plain = {key: value for key, value in entry.items() if key != "for_each"}
        for column in [None] if role is None else columns[role]:
            named = {} if column is None else {"column": column}
            kwargs = {
                key: value.replace("{column}", column)
                if isinstance(value, str) and column is not None
                else value
                for key, value in plain["kwargs"].items()
            }
            expectations.append({**plain, "kwargs": kwargs, "meta": {**plain["meta"], **named}})
    return {"name": suite["name"], "expectations": expectations}


def run_suite(
    frame: "pd.DataFrame",
    suite: Mapping[str, Any],
    *,
    parameters: Mapping[str, Any],
    index_columns: Sequence[str],
) -> dict[str, Any]:
    """Validate a frame and return the result as plain JSON, long lists cut to ``MAX_PLACES``.

    Parameters
    ----------
    frame
        Rows to look at, as they are in the layer.
    suite
        What ``expand_suite`` returned.
    parameters
        Values of the suite's ``$PARAMETER`` places.
    index_columns
        Columns that name a row in a finding.

    Returns
    -------
    dict
        ``success`` and ``results``, one for each expectation, as Great Expectations describes them.

    Raises
    ------
    ExpectationError
        If an expectation is unknown to Great Expectations or could not be computed.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")
    import great_expectations as gx

    with _one_at_a_time, identifying_lightly():
        _read_once({entry["type"] for entry in suite["expectations"]})
        # Its modules log at INFO whatever the level of the package says.
        for name in ("great_expectations", "great_expectations.data_context.types.base"):
            logging.getLogger(name).setLevel(logging.WARNING)
        wanted = list(suite["expectations"])
        expectations = gx.ExpectationSuite(name=suite["name"], expectations=wanted)
        if len(expectations.expectations) != len(wanted):
            raise ExpectationError(f"suite {suite['name']!r} has an expectation of unknown type")
        with _whole_frame(frame) as batch:
            outcome = batch.validate(
                expectations,
                result_format={
                    "result_format": "COMPLETE",
                    "unexpected_index_column_names": list(index_columns),
                },
                expectation_parameters=dict(parameters),
            )
        return _plain(outcome.to_json_dict())


@contextmanager
def _whole_frame(frame: "pd.DataFrame") -> Iterator[Any]:
    """Give a frame as a batch, and keep nothing of it."""
    definition = _frames()
    try:
        yield definition.get_batch({"dataframe": frame})
    finally:
        loaded = definition.data_asset.datasource.get_execution_engine().batch_manager
        loaded.reset_batch_cache()
        loaded.batch_data_cache.clear()


@cache
def _frames() -> Any:
    """Return what makes a frame a batch, of a context that lasts as long as the process.

    It writes itself down as YAML at every step of its making: a sixth of what a suite costs.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frame").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _read_once(types: Collection[str]) -> None:
    """Let each expectation work out its configuration once.

    Great Expectations asks an expectation for it a hundred times and makes it anew each time: a
    third of what a suite costs. So each type is a subclass of its own here, which takes the place
    of the original in its registry, with the same name, rule and result.
    """
    from great_expectations.compatibility.pydantic import PrivateAttr
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations import registry
    from great_expectations.expectations.expectation import Expectation

    def configuration(expectation: Any) -> Any:
        if expectation._known is None:
            expectation._known = Expectation.configuration.__get__(expectation)
        return expectation._known

    # It warns where one takes the place of another.
    logging.getLogger(registry.__name__).setLevel(logging.ERROR)
    for name in types:
        try:
            original: Any = registry.get_expectation_impl(name)
        except ExpectationNotFoundError:
            continue
        if original.__module__ == __name__:
            continue
        members = {
            "__module__": __name__,
            "_known": PrivateAttr(None),
            "configuration": property(configuration),
        }
        with copying_fields_lightly():
            type(original)(original.__name__, (original,), members)


def with_counts(plain: Mapping[str, Any], counts: Mapping[str, int], n_rows: int) -> dict[str, Any]:
    """Return a result on examples as the result on all the rows that they were chosen from.

    Parameters
    ----------
    plain
        Result of ``run_suite`` on a frame that holds the first rows that break each rule.
    counts
        Rows that break the rule of a column, or of the columns of a key (``"a, b"``), in all.
    n_rows
        Rows in all.

    Returns
    -------
    dict
        The result, its counts and outcomes those of all rows.
    """
    results = []
    for result in plain["results"]:
        kwargs = result["kwargs"]
        count = counts.get(kwargs.get("column") or ", ".join(kwargs.get("column_list", [])))
        if count is not None:
            allowed = (1 - float(kwargs.get("mostly", 1.0))) * n_rows
            result = {
                **result,
                "success": count <= allowed + 1e-9 * n_rows,
                "unexpected_count": count,
                "element_count": n_rows,
            }
        results.append(result)
    return {**plain, "success": all(r["success"] for r in results), "results": results}


def _plain(outcome: Mapping[str, Any]) -> dict[str, Any]:
    results = []
    for one in outcome["results"]:
        config = one["expectation_config"]
        raised = one.get("exception_info") or {}
        if (
            raised.get("raised_exception")
            or "result" not in one
            or (not one["success"] and not one["result"])
        ):
            raise ExpectationError(
                f"{config['type']} {config['kwargs']} could not be computed: {raised}"
            )
        details = one["result"]
        results.append(
            {
                "type": config["type"],
                "kwargs": {k: v for k, v in config["kwargs"].items() if k != "batch_id"},
                "meta": config.get("meta") or {},
                "severity": config.get("severity"),
                "success": bool(one["success"]),
                "observed": _reported(details.get("observed_value")),
                "element_count": details.get("element_count"),
                "unexpected_count": details.get("unexpected_count"),
                "unexpected": [
                    {name: _reported(value) for name, value in row.items()}
                    for row in (details.get("unexpected_index_list") or [])[:MAX_PLACES]
                ],
            }
        )
    return {"suite": outcome["suite_name"], "success": bool(outcome["success"]), "results": results}


def _reported(value: Any) -> Any:
    """Return a value as JSON can hold it: infinity and NaN as words."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    return value
