"""Which brands a portfolio names, what they share, and what is wrong with each."""

import json

import pytest

from schemas.errors import SpecError
from schemas.spec.portfolio import PortfolioSpec
from tasks.store.inputs.portfolio_file import list_brands, open_brand, read_portfolio


@pytest.fixture
def place(home):
    """Three run specs with a file each, in a folder of the home."""
    folder = home.root / "brands"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.yaml").write_text(f"dataset_id: {name}\ndata: {name}.csv\n")
        (folder / f"{name}.csv").write_text("period_start,sales\n")
    return home.root


def write(place, **keys):
    path = place / "portfolio.yaml"
    path.write_text(json.dumps({"portfolio_id": "group", **keys}))
    return path


def names(spec, path):
    return [brand.path.name for brand in list_brands(spec, path)]


def test_patterns_and_files_are_listed_in_order_each_once(place):
    path = write(place, brands=["brands/b.yaml", "brands/*.yaml"])
    assert names(read_portfolio(path), path) == ["b.yaml", "a.yaml", "c.yaml"]


def test_an_entry_of_its_own_stands_in_place_of_the_same_file_under_a_pattern(place):
    path = write(place, brands=["brands/*.yaml", {"spec": "brands/a.yaml", "overrides": {"x": 1}}])
    brands = list_brands(read_portfolio(path), path)
    assert [(b.path.name, bool(b.entry.overrides)) for b in brands] == [
        ("b.yaml", False), ("c.yaml", False), ("a.yaml", True),
    ]  # fmt: skip


def test_one_spec_stands_for_two_datasets_by_overrides(place):
    entries = [
        {"spec": "brands/a.yaml", "overrides": {"dataset_id": name}, "data": "brands/b.csv"}
        for name in ("north", "south")
    ]
    path = write(place, brands=entries)
    spec = read_portfolio(path)
    opened = [open_brand(brand, spec, path) for brand in list_brands(spec, path)]
    assert [(o.spec.dataset_id, o.data.name) for o in opened] == [
        ("north", "b.csv"), ("south", "b.csv"),
    ]  # fmt: skip


def test_the_file_wins_over_defaults_and_overrides_win_over_the_file(place):
    (place / "brands" / "a.yaml").write_text(
        "dataset_id: a\nsampler: {draws: 500}\nmodel: {adstock: {l_max: 4}}\n"
    )
    path = write(
        place,
        defaults={"sampler": {"draws": 700, "tune": 600}, "model": {"yearly_seasonality": 3}},
        brands=[{"spec": "brands/a.yaml", "overrides": {"sampler": {"tune": 900}}}],
    )
    spec = read_portfolio(path)
    (brand,) = list_brands(spec, path)
    opened = open_brand(brand, spec, path).spec
    assert (opened.sampler.draws, opened.sampler.tune) == (500, 900)
    assert (opened.model.adstock.l_max, opened.model.yearly_seasonality) == (4, 3)


def test_a_pattern_without_a_file_and_a_missing_file_are_brands_with_a_problem(place):
    path = write(place, brands=["brands/a.yaml", "gone/*.yaml", "brands/gone.yaml"])
    spec = read_portfolio(path)
    known, pattern, missing = list_brands(spec, path)
    assert known.problem == ""
    assert "gone/*.yaml" in pattern.problem
    with pytest.raises(SpecError, match=r"gone\.yaml"):
        open_brand(missing, spec, path)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"brands": []}, "brands"),
        ({"brands": ["a"], "worker": 2}, "workers"),
        ({"brands": ["a"], "defaults": {"dataset_id": "x"}}, "dataset_id cannot be shared"),
        ({"brands": ["a"], "defaults": {"sampler": {"drws": 5}}}, "draws"),
        ({"brands": ["a"], "timeout_minutes": 0}, "timeout_minutes"),
        ({"brands": ["a"], "dask_address": "http://x:1"}, "dask_address"),
        ({"brands": [{"spec": "a", "overide": {}}]}, "overrides"),
        ({"brands": ["a"], "portfolio_id": "../up"}, "portfolio_id"),
    ],
)
def test_a_portfolio_that_cannot_be_used_names_the_key(place, keys, said):
    with pytest.raises(SpecError, match=said):
        read_portfolio(write(place, **keys))


def test_a_brand_outside_the_folders_that_may_be_read_is_refused(place, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "spec.yaml"
    outside.write_text("dataset_id: secret\n")
    path = write(place, brands=[str(outside)])
    spec = read_portfolio(path)
    (brand,) = list_brands(spec, path)
    with pytest.raises(SpecError, match="outside the folders"):
        open_brand(brand, spec, path)


def test_every_key_is_described():
    fields = PortfolioSpec.model_fields
    assert [name for name, field in fields.items() if not field.description] == []
