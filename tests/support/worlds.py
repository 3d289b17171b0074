"""Small worlds for tests: a panel through the features stage, and draws made with NumPy alone."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, ENTITY_DIM
from schemas.refs import FileRef, SnapshotRef
from schemas.spec.kinds import ModelKind
from schemas.spec.roles import ColumnRoles, resolve_roles
from schemas.spec.run_spec import Grain, RunSpec
from tasks.features.build import build_features
from tasks.mathematics.draws import stack_samples
from tasks.mathematics.panel import IS_ESTIMATION, build_panel
from tasks.models.contract import FittedModel, ModelInputs
from tasks.models.linear import linear_terms
from tasks.models.mmm.constants import fit_constants
from tasks.models.mmm.design import media_design
from tasks.models.mmm.unit_response import unit_response
from tasks.models.registry import kind_of

CHANNELS = [
    {"name": "tv", "activity": "act_tv", "spend": "spend_tv"},
    {"name": "search", "spend": "spend_search"},
    {"name": "email", "kind": "owned", "activity": "act_email"},
    {"name": "rival", "kind": "competitor", "activity": "act_rival"},
]
"""Paid with activity, paid without, owned, and a competitor."""

PAID = ("tv", "search")
FILE = FileRef(path="data/runs/none.parquet", sha256="0" * 64)
N_CHAINS = 2


@dataclass(frozen=True)
class World:
    """What a fit is given: the rows, the spec, and what the features stage makes of them."""

    rows: pd.DataFrame
    spec: RunSpec
    panel: xr.Dataset
    inputs: ModelInputs
    frame: pd.DataFrame

    @property
    def window(self) -> np.ndarray:
        return self.panel[IS_ESTIMATION].values

    @property
    def metadata(self) -> FeatureMetadata:
        return self.inputs.metadata


def snapshot_of(rows: pd.DataFrame, *, grain: Grain = Grain.WEEK) -> SnapshotRef:
    """A reference as a refit would have it; its files are never opened."""
    return SnapshotRef(
        dataset_id="world",
        snapshot_id="0" * 16,
        wide=FILE,
        column_info=FILE,
        grain=grain,
        as_of=date(2025, 1, 1),
    )


def make_rows(n_entities: int = 1, n_periods: int = 60, *, seed: int = 1) -> pd.DataFrame:
    """Canonical rows: bursts of tv, steady search, email off in the last of several markets."""
    rng = np.random.default_rng(seed)
    frames = []
    for entity in range(n_entities):
        on_air = rng.uniform(size=n_periods) < 0.5
        tv = np.round(on_air * rng.gamma(4, 25, n_periods), 1)
        search = np.round(rng.gamma(6, 12, n_periods), 1)
        email = np.round(rng.gamma(3, 10, n_periods))
        if n_entities > 1 and entity == n_entities - 1:
            email = np.zeros(n_periods)
        rival = np.round(rng.gamma(3, 20, n_periods), 1)
        price = 10 + rng.normal(0, 1, n_periods).round(2)
        mean = 600 + 200 * entity + 1.2 * tv + 1.0 * search + 0.8 * email - 0.4 * rival - 12 * price
        frames.append(
            pd.DataFrame(
                {
                    "entity_id": f"market_{entity}",
                    "period_start": pd.date_range("2022-01-03", periods=n_periods, freq="7D"),
                    "sales": (mean + rng.normal(0, 25, n_periods)).round(2),
                    "act_tv": tv,
                    "spend_tv": (tv * 2.5).round(2),
                    "spend_search": search,
                    "act_email": email,
                    "act_rival": rival,
                    "ctrl_price": price,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def make_spec(kind: ModelKind | str = ModelKind.MMM, **settings: Any) -> RunSpec:
    """Return a spec for ``make_rows``; ``model`` is merged, everything else is set."""
    model = {"kind": str(kind), "adstock": {"l_max": 4}, "yearly_seasonality": 1}
    document = {"dataset_id": "world", "channels": CHANNELS, **settings}
    document["model"] = model | settings.get("model", {})
    return RunSpec.model_validate(document)


def build_world(
    rows: pd.DataFrame, spec: RunSpec, roles: ColumnRoles | None = None, grain: Grain = Grain.WEEK
) -> World:
    """Take rows through the features stage."""
    roles = roles or resolve_roles(spec, list(rows.columns))
    features = build_features(rows, spec, roles, snapshot_of(rows, grain=grain))
    panel = build_panel(features.frame, features.metadata)
    inputs = ModelInputs(features.metadata, features.scales)
    return World(rows, spec, panel, inputs, features.frame)


def mmm_world(
    n_entities: int = 1,
    adstock: str = "geometric",
    saturation: str = "hill",
    *,
    n_periods: int = 60,
    l_max: int = 4,
    carryover_months: int = 0,
    **settings: Any,
) -> World:
    """World of kind ``mmm``; with ``carryover_months`` the first periods only warm up."""
    model = {
        "adstock": {"kind": adstock, "l_max": l_max},
        "saturation": {"kind": saturation},
        **settings.pop("model", {}),
    }
    if carryover_months:
        settings["windows"] = {"carryover_months": carryover_months, "estimation_months": 12}
    return build_world(make_rows(n_entities, n_periods), make_spec(model=model, **settings))


def log_world(n_entities: int = 1, *, n_periods: int = 60, **settings: Any) -> World:
    """World of kind ``log_student_t`` that keeps its entities."""
    spec = make_spec(ModelKind.LOG_STUDENT_T, level="entity", **settings)
    return build_world(make_rows(n_entities, n_periods), spec)


def prior_draws(world: World, *, n_draws: int = 4, seed: int = 0) -> xr.Dataset:
    """Draws with the published names and dims, from priors like the model's, with NumPy alone."""
    rng = np.random.default_rng(seed)
    if world.spec.model.kind == ModelKind.LOG_STUDENT_T:
        return _log_draws(world, n_draws, rng)
    return _mmm_draws(world, n_draws, rng)


def fitted_model(world: World, draws: xr.Dataset | None = None) -> FittedModel:
    """Return the contract's view of draws (prior draws when none are given)."""
    draws = prior_draws(world) if draws is None else draws
    return kind_of(world.metadata).open(draws, world.inputs)


class _Draws:
    """Collects variables of shape ``(chain, draw, ...)``."""

    def __init__(self, world: World, n_draws: int) -> None:
        self.leading = (N_CHAINS, n_draws)
        self.variables: dict[str, Any] = {}
        self.coords = {
            ENTITY_DIM: world.panel[ENTITY_DIM].values,
            CHANNEL_DIM: world.panel[CHANNEL_DIM].values,
            "term": [term.name for term in linear_terms(world.inputs)],
        }

    def shape(self, *dims: str) -> tuple[int, ...]:
        return (*self.leading, *(len(self.coords[dim]) for dim in dims))

    def add(self, name: str, values: np.ndarray, *dims: str) -> np.ndarray:
        self.variables[name] = (("chain", "draw", *dims), values)
        return values

    def dataset(self) -> xr.Dataset:
        used = {dim for dims, _ in self.variables.values() for dim in dims}
        return xr.Dataset(
            self.variables, coords={k: v for k, v in self.coords.items() if k in used}
        )


def _mmm_draws(world: World, n_draws: int, rng: np.random.Generator) -> xr.Dataset:
    draws = _Draws(world, n_draws)
    n_entities = world.panel.sizes[ENTITY_DIM]
    media = media_design(world.panel, world.inputs)
    samplers = {
        ("adstock", "alpha"): lambda shape: rng.beta(2, 3, shape),
        ("adstock", "theta"): lambda shape: np.abs(rng.normal(0, 1, shape)),
        ("adstock", "lam"): lambda shape: rng.gamma(4, 0.5, shape) + 0.2,
        ("adstock", "k"): lambda shape: rng.gamma(4, 0.5, shape) + 0.2,
    }
    for label in fit_constants(world.panel, world.inputs).table.offsets():
        family, _, name = label.partition("_")
        if family not in ("adstock", "saturation"):
            continue
        users = media.users(family, name)
        dim = CHANNEL_DIM if len(users) == len(media.names) else f"{label}_{CHANNEL_DIM}"
        draws.coords[dim] = [media.names[i] for i in users]
        sample = samplers.get((family, name), lambda shape: np.exp(rng.normal(0, 0.4, shape)))
        draws.add(label, sample(draws.shape(dim)), dim)
    share_dims = (CHANNEL_DIM,) if n_entities == 1 else (CHANNEL_DIM, ENTITY_DIM)
    log_share = rng.normal(np.log(0.08), 0.5, draws.shape(*share_dims))
    draws.add("log_share", log_share, *share_dims)
    if n_entities > 1:
        draws.add("log_share_mean", log_share.mean(axis=-1), CHANNEL_DIM)
    draws.add("saturation_beta", _amplitudes(world, draws.dataset()), ENTITY_DIM, CHANNEL_DIM)
    gamma_dims = ("term",) if n_entities == 1 else (ENTITY_DIM, "term")
    if len(draws.coords["term"]):
        draws.add("gamma_linear", rng.normal(0, 0.03, draws.shape(*gamma_dims)), *gamma_dims)
    level = rng.normal(0.6, 0.05, draws.shape(ENTITY_DIM))
    draws.add("intercept_contribution", level, ENTITY_DIM)
    draws.add("y_sigma", rng.uniform(0.02, 0.05, draws.shape(ENTITY_DIM)), ENTITY_DIM)
    table = fit_constants(world.panel, world.inputs).table
    if "y_rho" in table:
        draws.add("y_rho", rng.beta(1, 2, draws.shape(ENTITY_DIM)), ENTITY_DIM)
    if "common_return" in table:
        draws.add("common_return", np.exp(rng.normal(0, 1, draws.leading)))
    return draws.dataset()


def _amplitudes(world: World, draws: xr.Dataset) -> np.ndarray:
    """Amplitudes as the share identity has them, ``(chain, draw, entity, channel)``."""
    media = media_design(world.panel, world.inputs)
    samples = stack_samples(draws)
    kpi = (world.panel["kpi"] / world.inputs.scales["kpi_scale"]).to_numpy()[:, world.window]
    beta = []
    for index, sign in enumerate(media.signs):
        shape = unit_response(samples, media, index)[:, :, world.window].mean(axis=-1)
        log_share = samples["log_share"].isel({CHANNEL_DIM: index}).to_numpy()
        share = np.exp(log_share.reshape(len(shape), -1))
        amplitude = share * kpi.mean(axis=-1) / np.where(shape > 1e-12, shape, 1.0)
        beta.append(sign * np.where(shape > 1e-12, amplitude, 0.0))
    stacked = np.stack(beta, axis=-1)
    return stacked.reshape(N_CHAINS, -1, *stacked.shape[1:])


def _log_draws(world: World, n_draws: int, rng: np.random.Generator) -> xr.Dataset:
    draws = _Draws(world, n_draws)
    log_kpi = np.log1p(world.panel["kpi"].to_numpy())
    draws.add("intercept", rng.normal(log_kpi.mean(), 0.05, draws.leading))
    sigma_beta = draws.add("sigma_beta", np.abs(rng.normal(0, 0.1, draws.leading)))
    unit = np.abs(rng.normal(size=draws.shape(CHANNEL_DIM)))
    draws.add("beta", sigma_beta[..., None] * unit, CHANNEL_DIM)
    if len(draws.coords["term"]):
        draws.add("gamma", rng.normal(0, 0.03, draws.shape("term")), "term")
    draws.add("sigma", rng.uniform(0.02, 0.05, draws.leading))
    draws.add("nu", rng.uniform(4, 30, draws.leading))
    return draws.dataset()
