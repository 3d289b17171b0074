"""Reads a portfolio file, and the run spec of each of its brands.

Belongs here: which files there are, and what of the portfolio goes into a run spec.
Does not: what is done with the brands (``tasks.portfolio``).
"""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from schemas.errors import SpecError
from schemas.spec.errors import parse_model, parse_run_spec
from schemas.spec.portfolio import BrandEntry, PortfolioSpec
from schemas.spec.run_spec import RunSpec
from tasks.store.inputs.allowed_files import require_allowed
from tasks.store.inputs.spec_file import data_path, parse_document, read_run_spec
from tasks.store.inputs.text_files import read_text

_MOST_BRANDS = 10_000


class NamedBrand(NamedTuple):
    """A brand that a portfolio names: the file of its spec, or why there is none."""

    path: Path
    entry: BrandEntry
    problem: str = ""


class OpenedBrand(NamedTuple):
    """A brand whose spec can be used."""

    spec: RunSpec
    data: Path | None


def read_portfolio(path: Path) -> PortfolioSpec:
    """Read and validate a portfolio file; its brands are not opened yet.

    Raises
    ------
    SpecError
        If the file is missing, is not JSON or YAML, or its content cannot be used, what all brands
        share among it.
    """
    text = read_text(path, named_by="--file", kind="JSON or YAML")
    document = parse_document(text, name=path.name, suffix=path.suffix, what="portfolio")
    spec = parse_model(PortfolioSpec, document, source=path.name)
    # Once here, and not once per brand.
    parse_run_spec(
        {"dataset_id": spec.portfolio_id, **spec.defaults}, source=f"{path.name}, defaults"
    )
    return spec


def list_brands(spec: PortfolioSpec, path: Path) -> list[NamedBrand]:
    """Return the brands of a portfolio in their order, each file once.

    An entry of its own stands in place of the same file under a pattern. A file that is missing,
    and a pattern that no file has, are brands with a problem.

    Parameters
    ----------
    spec
        The portfolio.
    path
        Its file, beside which brands are looked up.

    Raises
    ------
    SpecError
        If there are more than ten thousand.
    """
    folder = path.resolve().parent
    stated = {
        (folder / Path(e.spec).expanduser()).resolve()
        for e in spec.brands
        if isinstance(e, BrandEntry)
    }
    found: list[NamedBrand] = []
    seen: set[Path] = set()
    for named in spec.brands:
        for brand in _expand(named, folder):
            is_repeated = brand.path in seen or brand.path in stated
            if isinstance(named, str) and is_repeated and not brand.problem:
                continue
            seen.add(brand.path)
            found.append(brand)
            if len(found) > _MOST_BRANDS:
                raise SpecError(f"{path.name}: brands: more than {_MOST_BRANDS:,}; divide it.")
    return found


def _expand(named: str | BrandEntry, folder: Path) -> list[NamedBrand]:
    entry = BrandEntry(spec=named) if isinstance(named, str) else named
    where = folder / Path(entry.spec).expanduser()
    if isinstance(named, str) and glob.has_magic(named):
        # A pattern may be absolute, which a Path's own glob refuses.
        matches_of = glob.glob(str(where), recursive=True)  # noqa: PTH207
        files = sorted(Path(match).resolve() for match in matches_of)
        matches = [NamedBrand(file, entry) for file in files if file.is_file()]
        return matches or [NamedBrand(where, entry, f"brands: no file is called {named}.")]
    return [NamedBrand(where.resolve(), entry)]


def open_brand(brand: NamedBrand, spec: PortfolioSpec, path: Path) -> OpenedBrand:
    """Read the run spec of a brand over what the portfolio shares, and find its input file.

    Parameters
    ----------
    brand
        From ``list_brands``; it has no problem.
    spec, path
        The portfolio and its file.

    Raises
    ------
    SpecError
        If either cannot be used, or lies outside the folders that may be read.
    """
    folder = path.resolve().parent
    file = require_allowed(brand.path, named_by="brands in the portfolio", beside=folder)

    def adjust(document: Any) -> Any:
        if not isinstance(document, Mapping):
            return document
        return _merge(_merge(spec.defaults, document), brand.entry.overrides)

    run_spec = read_run_spec(file, adjust=adjust)
    if brand.entry.data is None:
        return OpenedBrand(run_spec, data_path(run_spec, spec_path=file, override=None))
    stated = folder / Path(brand.entry.data).expanduser()
    data = require_allowed(stated, named_by="data in the portfolio", beside=folder)
    return OpenedBrand(run_spec, data_path(run_spec, spec_path=file, override=data))


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another; inner mappings are laid over each other too, lists replaced."""
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(known, value) if both else value  # type: ignore[arg-type]
    return merged
