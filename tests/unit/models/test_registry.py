"""The registry of model kinds: who is in it, and that nobody asks past it."""

import re
from pathlib import Path

import numpy as np
import pytest
from support.toy_kind import TOY
from support.worlds import (
    CHANNELS,
    build_world,
    fitted_model,
    log_world,
    make_rows,
    mmm_world,
    prior_draws,
)

from schemas.errors import SpecError
from schemas.spec import kinds as spec_kinds
from schemas.spec.errors import parse_run_spec
from schemas.spec.lift_tests import LiftTest
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.models.base import DrawsModel
from tasks.models.contract import FittedModel
from tasks.models.kind import Watch
from tasks.models.registry import find_kind, kind_of, known_kinds, registered

ROOT = Path(__file__).resolve().parents[3]


def test_the_spec_and_the_registry_know_the_same_kinds():
    assert {name: kind.spec for name, kind in known_kinds().items()} == spec_kinds.KINDS
    assert set(spec_kinds.ModelKind) == set(known_kinds())


def test_an_unknown_kind_is_refused_by_name_with_those_that_are_known():
    known = "known: causal_gru, log_student_t, mmm, ridge"
    with pytest.raises(SpecError, match=f"unknown model kind 'forest'; {known}"):
        find_kind("forest")
    with pytest.raises(SpecError, match=r"model\.kind: unknown model kind 'forest'; known: "):
        parse_run_spec({"dataset_id": "d", "model": {"kind": "forest"}})
    with pytest.raises(SpecError, match="unknown model kind 'forest'"):
        kind_of(mmm_world().metadata.model_copy(update={"model_kind": "forest"}))


def test_no_code_outside_a_kinds_folder_knows_it():
    """Its folder is imported by the registry alone; its name stands where it is defined alone."""
    kinds = "|".join(known_kinds())
    imported = re.compile(rf"(import |from |[\"'])tasks\.models\.({kinds})\b")
    # The command has the name of one of them: that alone says nothing.
    named = re.compile(rf"ModelKind\b|[\"']log_student_t[\"']|kind\b.*[\"']({kinds})[\"']")
    offenders = []
    for path in [p for room in ("flows", "tasks", "schemas") for p in (ROOT / room).rglob("*.py")]:
        place, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if place.startswith(tuple(f"tasks/models/{kind}/" for kind in known_kinds())):
            continue
        if place != "tasks/models/registry.py":
            offenders += [f"{place}: {m[0]}" for m in imported.finditer(text)]
        # A spec that names no kind gets one.
        named_there = {f"schemas/spec/{name}.py" for name in ("kinds", "model", "run_spec")}
        if place not in {*named_there, "tasks/models/registry.py"}:
            offenders += [f"{place}: {m[0]}" for m in named.finditer(text)]
    assert not offenders, "ask tasks.models.registry.kind_of instead"


@pytest.mark.parametrize("make", [mmm_world, log_world])
def test_memory_grows_with_draws_and_panel(make):
    few, many = SamplerSpec(draws=100, chains=2), SamplerSpec(draws=300, chains=2)
    small, large = make(1), make(2)
    needed = [
        kind_of(world.metadata).memory_bytes(world.panel, world.metadata, settings)
        for world, settings in ((small, few), (small, many), (large, few))
    ]
    assert needed[1] == 3 * needed[0]
    assert needed[2] > needed[0] > 8 * 200 * small.metadata.n_parameters


def test_a_lift_is_the_difference_of_two_predictions_whatever_the_kind():
    """Independent route: kind ``mmm`` computes a test's own segment, the default all of the KPI."""
    world = mmm_world(2)
    model = fitted_model(world, prior_draws(world, n_draws=50))
    tests = [
        LiftTest(
            channel="tv", start="2022-06-06", end="2022-07-03", delta_spend=delta, delta_kpi=1,
            standard_error=1, entity=entity,
        )
        for delta, entity in ((500.0, None), (-100.0, "market_1"))
    ]  # fmt: skip
    np.testing.assert_allclose(
        DrawsModel.expected_lift(model, world.panel, tests),
        model.expected_lift(world.panel, tests),
        rtol=1e-9,
        atol=1e-9,
    )


SPEC = {"dataset_id": "d", "model": {"kind": "toy"}}


def test_a_kind_that_is_one_folder_brings_its_own_defaults_and_refusals():
    with registered(TOY):
        spec = RunSpec.model_validate(SPEC)
        assert (spec.sampler.draws, spec.sampler.chains) == (200, 2)
        with pytest.raises(ValueError, match=r"model\.likelihood: only kind mmm knows this"):
            RunSpec.model_validate({**SPEC, "model": {"kind": "toy", "likelihood": "student_t"}})
        with pytest.raises(ValueError, match="kind toy is not sampled by MCMC; use auto"):
            RunSpec.model_validate({**SPEC, "sampler": {"backend": "pymc"}})
        with pytest.raises(ValueError, match="there is a model kind 'toy' already"):
            registered(TOY).__enter__()
    with pytest.raises(ValueError, match="unknown model kind 'toy'"):
        RunSpec.model_validate(SPEC)


def test_a_backend_that_a_kind_does_not_have_is_refused_with_those_that_it_has():
    kernel = {"model": {"kind": "log_student_t"}, "sampler": {"backend": "kernel"}}
    with pytest.raises(ValueError, match="kind log_student_t knows nutpie, pymc; use auto"):
        RunSpec.model_validate({"dataset_id": "d", **kernel})


def test_least_squares_without_noise_give_back_what_made_the_kpi():
    rows = make_rows(n_periods=80)
    rows["sales"] = 100 + 2 * rows["act_tv"] - 3 * rows["ctrl_price"]
    with registered(TOY):
        world = build_world(rows, RunSpec.model_validate({**SPEC, "channels": CHANNELS}))
        sampled = TOY.fit(world.panel, world.inputs, SamplerSpec(draws=20, chains=2), Watch())
        model = fitted_model(world, sampled.tree["posterior"].to_dataset())
    np.testing.assert_allclose(model.expected(world.panel).mean(axis=0).ravel(), rows["sales"])
    tv = model.contribution(model.components[0], world.panel)
    np.testing.assert_allclose(tv[0, 0], 2 * rows["act_tv"], rtol=1e-9, atol=1e-7)


def test_what_a_kind_opens_has_all_that_the_contract_asks_for():
    asked = {n for n in [*vars(FittedModel), *FittedModel.__annotations__] if n[0] != "_"}
    with registered(TOY):
        toy = build_world(make_rows(), RunSpec.model_validate({**SPEC, "channels": CHANNELS}))
        settings = SamplerSpec(draws=20, chains=2)
        tree = TOY.fit(toy.panel, toy.inputs, settings, Watch()).tree
        models = [
            fitted_model(mmm_world()),
            fitted_model(log_world()),
            fitted_model(toy, tree["posterior"].to_dataset()),
        ]
    missing = {type(m).__name__: lack for m in models if (lack := asked - set(dir(m)))}
    assert not missing
