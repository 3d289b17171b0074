"""Transforms of others: the documented example fits, what may not be is refused before any fit."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from support.worlds import build_world, make_rows, make_spec

from schemas.errors import SpecError
from schemas.names import ComponentKind
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.contract import Component
from tasks.models.foreign import PERMITTED
from tasks.models.kind import Watch
from tasks.models.ridge.custom import CustomTransform, find_transform
from tasks.models.ridge.kind import RIDGE

PAGE = Path(__file__).resolve().parents[3] / "tasks" / "README.md"
PENALTY = {"media": 0.03, "controls": 0.03, "trend": 0.03, "seasonality": 0.03}


@pytest.fixture
def write_module(tmp_path, monkeypatch, request):
    """Write a module that can be imported, and permit it."""
    name = "transforms_" + re.sub(r"\W", "_", request.node.name)

    def write(text, *, permitted=True):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        if permitted:
            monkeypatch.setenv(PERMITTED, f"other, {name}")
        return name

    return write


def broken(body, grids="{'a': [1, 2]}", l_max="3"):
    return f"""
        import numpy as np

        class Odd:
            grids = {grids}
            l_max = {l_max}

            def transform(self, x, **parameters):
                {body}
        """


def spec_of(name, **ridge):
    settings = {"transform": name, "penalty": PENALTY, "refit_share": 0.0, **ridge}
    return make_spec("ridge", model={"ridge": settings})


def documented():
    return re.search(r"```python\n(import numpy.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[1]


def test_the_documented_example_finds_the_delay_that_is_in_the_data(write_module):
    module = write_module(documented())
    rows = make_rows(1, 104)
    tv = rows["act_tv"].to_numpy()
    late = np.concatenate([np.zeros(2), tv])[:104]
    rows["sales"] = 500 + 8 * late**0.6 + np.random.default_rng(3).normal(0, 4, 104)
    world = build_world(rows, spec_of(f"{module}:DelayedPower"))
    assert RIDGE.longest_carryover(world.metadata) == 3
    settings = SamplerSpec(draws=20, chains=2)
    tree = RIDGE.fit(world.panel, world.inputs, settings, Watch()).tree
    draws = tree["posterior"].to_dataset()
    found = draws["hyperparameter"].sel(channel_hyperparameter="tv.delay")
    assert (found == 2).all()
    model = RIDGE.open(draws, world.inputs)
    brought = model.contribution(Component("tv", ComponentKind.CHANNEL), world.panel)
    window = world.panel[IS_ESTIMATION].to_numpy()
    truth = (8 * late**0.6)[window].sum()
    assert brought[..., window].sum(axis=(1, 2)).mean() == pytest.approx(truth, rel=0.15)


def test_its_gradient_is_that_of_what_it_does(write_module):
    module = write_module(documented())
    transform = find_transform(f"{module}:DelayedPower")
    rng = np.random.default_rng(1)
    x, weights = rng.uniform(0.2, 1, (2, 12)), rng.normal(size=(2, 12))
    values = (1, 0.6)
    gradient = transform.pull_back(x, values, weights)
    direction = rng.normal(size=x.shape) * 1e-5
    change = (weights * (transform.apply(x + direction, values) - transform.apply(x, values))).sum()
    assert (gradient * direction).sum() == pytest.approx(change, rel=1e-3)


def test_nothing_is_imported_that_the_machine_does_not_permit(write_module, monkeypatch, tmp_path):
    ran = tmp_path / "ran"
    module = write_module(f"open({str(ran)!r}, 'w').close()\n" + documented(), permitted=False)
    monkeypatch.delenv(PERMITTED, raising=False)
    name = f"{module}:DelayedPower"
    for permitted in (None, "", "transforms", f"{module}.deeper", module[:-1]):
        if permitted is not None:
            monkeypatch.setenv(PERMITTED, permitted)
        with pytest.raises(SpecError, match=f"{PERMITTED}={module}"):
            build_world(make_rows(1, 60), spec_of(name))
    assert not ran.exists()


@pytest.mark.parametrize("name", ["os.system('x')", "../evil:X", "a:b:c", "", "1x:Y", "a b:C"])
def test_what_is_no_name_of_a_class_is_no_spec(name):
    with pytest.raises(ValueError, match="transform"):
        spec_of(name)


def test_a_class_of_the_standard_library_needs_a_permission_too(monkeypatch):
    monkeypatch.delenv(PERMITTED, raising=False)
    with pytest.raises(SpecError, match=PERMITTED):
        find_transform("subprocess:Popen")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return x[:-1]", "may not change its length"),
        ("return -x", "negative"),
        ("return np.log(x * 0)", "no numbers"),
        ("return x / x.max()", "looks into the future"),
        ("return np.flip(x)", "looks into the future"),
        ("raise KeyError('b')", "stops: KeyError"),
        ("return ['x'] * len(x)", "stops: ValueError"),
    ],
    ids=["shorter", "negative", "no number", "scaled by later", "backwards", "raises", "text"],
)
def test_what_a_transform_may_not_do_is_refused_before_any_fit(write_module, body, said):
    module = write_module(broken(body))
    with np.errstate(all="ignore"), pytest.raises(SpecError, match=said):
        build_world(make_rows(1, 60), spec_of(f"{module}:Odd"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grids": "{'a': []}"}, "name finite numbers"),
        ({"grids": "{'a': [2, 1]}"}, "ascending"),
        ({"grids": "{'a': [float('nan')]}"}, "finite"),
        ({"grids": "{'a': ['x']}"}, "finite"),
        ({"grids": "[1, 2]"}, "no mapping"),
        ({"grids": "{k: list(range(11)) for k in 'abc'}"}, "1331 combinations"),
        ({"l_max": "0"}, "l_max is 0"),
        ({"l_max": "True"}, "l_max is True"),
    ],
)
def test_a_class_that_is_no_transform_is_refused(write_module, changes, said):
    module = write_module(broken("return x", **changes))
    with pytest.raises(SpecError, match=said):
        find_transform(f"{module}:Odd")


@pytest.mark.parametrize("missing", [":Absent", ".sub:Odd"])
def test_what_cannot_be_imported_is_refused_with_the_remedy(write_module, missing):
    module = write_module(broken("return x"))
    with pytest.raises(SpecError, match="Install its package"):
        find_transform(module + missing)


def test_a_module_that_fails_while_it_is_imported_is_refused(write_module):
    module = write_module("raise RuntimeError('no license')")
    with pytest.raises(SpecError, match="RuntimeError: no license"):
        find_transform(f"{module}:Odd")


def test_an_unknown_short_name_is_refused():
    with pytest.raises(SpecError, match="nor an entry point"):
        find_transform("nobody-has-this")


def test_an_entry_point_is_looked_up_and_still_needs_a_permission(write_module, monkeypatch):
    from importlib.metadata import EntryPoint

    from tasks.models import foreign

    module = write_module(documented())
    point = EntryPoint("delayed", f"{module}:DelayedPower", foreign.TRANSFORM_GROUP)
    monkeypatch.setattr(foreign, "entry_points", lambda *, group: [point] * (group == point.group))
    assert isinstance(find_transform("delayed"), CustomTransform)
    monkeypatch.setenv(PERMITTED, "other")
    with pytest.raises(SpecError, match=PERMITTED):
        find_transform("delayed")
