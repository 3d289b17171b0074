"""Publish a fit as a stock pymc-marketing ``MMM``, so that its tools work on every refit.

Sampling happens on our lean graph; its draws are renamed here into the posterior of an ``MMM`` with
the same adstock, saturation and scales. That object then serves pymc-marketing's prediction, budget
optimizer, sensitivity and plots, and is saved and loaded by its own code.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd
import xarray as xr
from pymc_extras.prior import Prior
from pymc_marketing.mmm import (
    MMM,
    DelayedAdstock,
    GeometricAdstock,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    NoAdstock,
    NoSaturation,
    TanhSaturation,
    WeibullCDFAdstock,
    WeibullPDFAdstock,
)
from pymc_marketing.mmm.scaling import FixedScaling, Scaling

from schemas.channels import AdstockKind, AdstockSpec, SaturationKind
from schemas.names import CHANNEL_DIM, CONTROL_DIM, DATE_DIM, ENTITY_DIM, FOURIER_DIM, ComponentKind
from tasks.mmm.panel import IS_ESTIMATION
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.mmm.graph import TERM_DIM

TARGET = "y"
_ADSTOCKS: dict[AdstockKind, Any] = {
    AdstockKind.GEOMETRIC: GeometricAdstock,
    AdstockKind.DELAYED: DelayedAdstock,
    AdstockKind.WEIBULL_PDF: WeibullPDFAdstock,
    AdstockKind.WEIBULL_CDF: WeibullCDFAdstock,
    AdstockKind.NONE: NoAdstock,
}
_SATURATIONS: dict[SaturationKind, Any] = {
    SaturationKind.HILL: HillSaturation,
    SaturationKind.LOGISTIC: LogisticSaturation,
    SaturationKind.MICHAELIS_MENTEN: MichaelisMentenSaturation,
    SaturationKind.TANH: TanhSaturation,
    SaturationKind.NONE: NoSaturation,
}


def publish_stock(draws: xr.Dataset, panel: xr.Dataset, inputs: ModelInputs) -> MMM:
    """Build the stock model of a fit with its posterior.

    Parameters
    ----------
    draws
        Published draws, dims ``(chain, draw, ...)``.
    panel
        Panel of the fit, carryover window included: the stock model has no warm-up of its own, so
        the carryover periods are part of its data.
    inputs
        Feature metadata and scales.

    Returns
    -------
    MMM
        Fitted as far as pymc-marketing can tell: ``save``, ``MMM.load``,
        ``sample_posterior_predictive`` and the optimizer work.
    """
    model = _stock_model(inputs)
    rows = _stock_rows(panel, inputs)
    with warnings.catch_warnings():
        # It advises on prior and scaling choices that are made on our graph, not on this one.
        warnings.simplefilter("ignore", UserWarning)
        model.build_model(rows.drop(columns=TARGET), rows[TARGET])
    tree = xr.DataTree.from_dict(
        {
            "posterior": _in_model_order(_stock_posterior(draws, inputs), model),
            "fit_data": model.create_fit_data(rows.drop(columns=TARGET), rows[TARGET]),
        }
    )
    tree.attrs = model.create_idata_attrs()
    model.idata = tree
    return model


def _stock_model(inputs: ModelInputs) -> MMM:
    metadata = inputs.metadata
    adstock = AdstockSpec.model_validate(metadata["adstock"])
    l_max = 1 if adstock.kind is AdstockKind.NONE else adstock.l_max
    saturation = _SATURATIONS[SaturationKind(metadata["saturation"]["kind"])]
    per_entity = (ENTITY_DIM, CHANNEL_DIM)
    amplitude = {"michaelis_menten": "alpha", "tanh": "b"}.get(
        metadata["saturation"]["kind"], "beta"
    )
    curve_priors = {
        name: Prior(
            "HalfNormal", sigma=1, dims=per_entity if name in (amplitude, "c") else CHANNEL_DIM
        )
        for name in saturation.default_priors
    }
    kernel = _ADSTOCKS[adstock.kind]
    kernel_priors = {
        name: Prior(prior.distribution, **prior.parameters, dims=CHANNEL_DIM)
        for name, prior in kernel.default_priors.items()
    }
    scales = inputs.scales
    return MMM(
        date_column=DATE_DIM,
        target_column=TARGET,
        channel_columns=[c["name"] for c in metadata["channels"]],
        control_columns=_control_terms(inputs) or None,
        yearly_seasonality=metadata["harmonics"] or None,
        dims=(ENTITY_DIM,),
        adstock=kernel(l_max=l_max, priors=kernel_priors) if kernel_priors else NoAdstock(l_max=1),
        saturation=saturation(priors=curve_priors),
        scaling=Scaling(
            target=FixedScaling(dims=(), value=scales["kpi_scale"]),
            channel=FixedScaling(dims=(), value=scales["media_scale"]),
        ),
    )


def _control_terms(inputs: ModelInputs) -> list[str]:
    """Controls and trend: what is linear but for Fourier terms, which the stock model has."""
    return [
        t.name for t in linear_terms(inputs) if t.component.kind is not ComponentKind.SEASONALITY
    ]


def _stock_rows(panel: xr.Dataset, inputs: ModelInputs) -> pd.DataFrame:
    design = linear_design(panel, inputs)
    names = [t.name for t in linear_terms(inputs)]
    frames = []
    for position, entity in enumerate(panel[ENTITY_DIM].values):
        one = panel.isel({ENTITY_DIM: position})
        columns: dict[str, Any] = {DATE_DIM: one[DATE_DIM].values, ENTITY_DIM: str(entity)}
        for index, name in enumerate(panel[CHANNEL_DIM].values):
            columns[str(name)] = one["media"].isel({CHANNEL_DIM: index}).values
        for name in _control_terms(inputs):
            columns[name] = design[position, names.index(name)]
        frames.append(pd.DataFrame(columns | {TARGET: one["kpi"].values}))
    return pd.concat(frames, ignore_index=True)


def _in_model_order(posterior: xr.Dataset, model: MMM) -> xr.Dataset:
    """Order dims as the model declares them: draws are matched by position."""
    dims = model.model.named_vars_to_dims
    return xr.Dataset(
        {
            n: v.transpose("chain", "draw", *dims.get(str(n), ()))
            for n, v in posterior.data_vars.items()
        }
    )


def _stock_posterior(draws: xr.Dataset, inputs: ModelInputs) -> xr.Dataset:
    kept = {str(n): v for n, v in draws.data_vars.items() if str(n).startswith(_SHARED_NAMES)}
    gamma = draws.get("gamma_linear")
    if gamma is not None:
        if ENTITY_DIM not in gamma.dims:
            gamma = gamma.expand_dims({ENTITY_DIM: draws[ENTITY_DIM].values}, axis=2)
        seasonal = [
            t.name for t in linear_terms(inputs) if t.component.kind is ComponentKind.SEASONALITY
        ]
        kept |= _linear_part(gamma, "gamma_control", CONTROL_DIM, _control_terms(inputs))
        kept |= _linear_part(gamma, "gamma_fourier", FOURIER_DIM, seasonal)
    kept |= _amplitude(kept, SaturationKind(inputs.metadata["saturation"]["kind"]))
    return xr.Dataset(kept).drop_vars(TERM_DIM, errors="ignore")


_SHARED_NAMES = ("adstock_", "saturation_", "intercept_contribution", "y_sigma")
"""Variables that have the same name and meaning in both models."""


_TINY = 1e-100


def _linear_part(
    gamma: xr.DataArray, name: str, dim: str, terms: list[str]
) -> Mapping[str, xr.DataArray]:
    return {name: gamma.sel({TERM_DIM: terms}).rename({TERM_DIM: dim})} if terms else {}


def _amplitude(kept: dict[str, xr.DataArray], kind: SaturationKind) -> dict[str, xr.DataArray]:
    """Rename the amplitude where the stock curve calls it otherwise."""
    if kind is SaturationKind.MICHAELIS_MENTEN:
        return {"saturation_alpha": kept.pop("saturation_beta")}
    if kind is SaturationKind.TANH:
        # A channel that is off has no amplitude, and the stock curve divides by it.
        beta = kept.pop("saturation_beta")
        beta = xr.where(beta == 0, _TINY, beta)
        return {"saturation_b": beta, "saturation_c": kept.pop("saturation_kappa") / beta}
    return {}


def estimation_contributions(model: MMM, panel: xr.Dataset) -> xr.DataArray:
    """Channel contributions of the stock graph over the fitted periods, in KPI units.

    Returns
    -------
    xr.DataArray
        Dims ``(chain, draw, date, entity, channel)``.
    """
    import pymc as pm

    if model.idata is None:
        raise ValueError("the model has no posterior; use publish_stock")
    posterior = model.idata["posterior"].to_dataset()
    with model.model:
        computed = pm.compute_deterministics(
            posterior, var_names=["channel_contribution"], progressbar=False
        )
    scale = model.scalers["_target"]
    window = panel[DATE_DIM].values[panel[IS_ESTIMATION].values]
    return computed["channel_contribution"].sel({DATE_DIM: window}) * scale
