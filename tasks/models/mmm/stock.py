"""Publish a fit as a stock pymc-marketing ``MMM``, so that its tools work on every refit.

Draws of our own posterior are renamed here into the posterior of an ``MMM`` with the same adstock,
saturation, noise and scales. That object then serves pymc-marketing's prediction, budget optimizer,
sensitivity and plots, and is saved and loaded by its own code. Everything that is linear but for
Fourier terms (controls, trend curves, events) is a control of it. It is never sampled, so its
priors are pymc-marketing's own.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pymc_extras.prior import Prior
from pymc_marketing import mmm
from pymc_marketing.mmm import MMM
from pymc_marketing.mmm.scaling import FixedScaling, Scaling

from schemas.documents.features import FeatureMetadata
from schemas.names import (
    CHANNEL_DIM,
    CONTROL_DIM,
    DATE_DIM,
    ENTITY_DIM,
    FOURIER_DIM,
    TERM_DIM,
    ComponentKind,
)
from schemas.spec.channels import ChannelKind, SaturationKind
from schemas.spec.model import Likelihood
from tasks.mathematics.carryover import ADSTOCKS
from tasks.mathematics.saturation import SATURATIONS, Saturation
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.mmm.design import ChannelTransforms, channel_transforms, has_parameter
from tasks.models.mmm.priors import TAIL_PRIOR
from tasks.models.mmm.stock_form import StockForm, stock_form
from tasks.models.mmm.stock_names import rename_for_storage

TARGET = "y"


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
        Feature metadata and scales; ``stock_form.stock_obstacle`` finds nothing in them.

    Returns
    -------
    MMM
        Its names are those of ``stock_names.stored_name``. Fitted as far as pymc-marketing can
        say: ``save``, ``MMM.load``, ``sample_posterior_predictive`` and the optimizer work.
    """
    draws, panel, inputs = rename_for_storage(draws, panel, inputs)
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
    metadata, scales = inputs.metadata, inputs.scales
    form = stock_form(metadata)
    return MMM(
        date_column=DATE_DIM,
        target_column=TARGET,
        channel_columns=metadata.channel_names,
        control_columns=_control_terms(inputs) or None,
        yearly_seasonality=metadata.harmonics or None,
        dims=(ENTITY_DIM,),
        adstock=_adstock(form),
        saturation=_saturation(form, metadata),
        adstock_first=not form.before_adstock,
        scaling=Scaling(
            target=FixedScaling(dims=(), value=scales["kpi_scale"]),
            channel=FixedScaling(dims=(), value=scales["media_scale"]),
        ),
        model_config=_noise_prior() if metadata.likelihood == Likelihood.STUDENT_T else None,
    )


def _adstock(form: StockForm) -> Any:
    kernel = getattr(mmm, ADSTOCKS[form.adstock.kind].stock)
    if kernel is mmm.NoAdstock:
        return mmm.NoAdstock(l_max=1)
    priors = {name: _per(prior, CHANNEL_DIM) for name, prior in kernel.default_priors.items()}
    return kernel(l_max=form.adstock.l_max, priors=priors)


def _saturation(form: StockForm, metadata: FeatureMetadata) -> Any:
    definition = SATURATIONS[form.saturation]
    curve, amplitude = getattr(mmm, definition.stock), definition.amplitude
    dims = dict.fromkeys((amplitude, "c"), (ENTITY_DIM, CHANNEL_DIM))
    priors = {
        name: _per(prior, *dims.get(name, (CHANNEL_DIM,)))
        for name, prior in curve.default_priors.items()
    }
    if any(c.kind is ChannelKind.COMPETITOR for c in metadata.channels):
        priors[amplitude] = Prior("Normal", mu=0, sigma=1, dims=(ENTITY_DIM, CHANNEL_DIM))
    return curve(priors=priors)


def _per(prior: Prior, *dims: str) -> Prior:
    """Pymc-marketing's own prior, once per cell of ``dims``."""
    return Prior(prior.distribution, **prior.parameters, dims=dims)


def _noise_prior() -> dict[str, Prior]:
    """Student t noise around the expected KPI."""
    shape, rate = TAIL_PRIOR
    noise = Prior(
        "StudentT",
        nu=Prior("Gamma", alpha=shape, beta=rate),
        sigma=Prior("HalfNormal", sigma=2, dims=(ENTITY_DIM,)),
        dims=(DATE_DIM, ENTITY_DIM),
    )
    return {"likelihood": noise}


def _control_terms(inputs: ModelInputs) -> list[str]:
    """What is linear but for Fourier terms, which the stock model has."""
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
    kept = {str(n): v for n, v in draws.data_vars.items() if str(n) in _SHARED_NAMES}
    if "y_rho" in draws:
        # Its noise does not last: the same spread in every period, without the memory.
        kept["y_sigma"] = draws["y_sigma"] / np.sqrt(1 - draws["y_rho"] ** 2)
    kept |= _media_part(draws, inputs.metadata)
    gamma = draws.get("gamma_linear")
    if gamma is not None:
        if ENTITY_DIM not in gamma.dims:
            gamma = gamma.expand_dims({ENTITY_DIM: draws[ENTITY_DIM].values}, axis=2)
        seasonal = [
            t.name for t in linear_terms(inputs) if t.component.kind is ComponentKind.SEASONALITY
        ]
        kept |= _linear_part(gamma, "gamma_control", CONTROL_DIM, _control_terms(inputs))
        kept |= _linear_part(gamma, "gamma_fourier", FOURIER_DIM, seasonal)
    return xr.Dataset(kept).drop_vars(TERM_DIM, errors="ignore")


_SHARED_NAMES = ("intercept_contribution", "y_sigma", "y_nu")
"""Variables that have the same name and meaning in both models."""


def _linear_part(
    gamma: xr.DataArray, name: str, dim: str, terms: list[str]
) -> dict[str, xr.DataArray]:
    return {name: gamma.sel({TERM_DIM: terms}).rename({TERM_DIM: dim})} if terms else {}


def _media_part(draws: xr.Dataset, metadata: FeatureMetadata) -> dict[str, xr.DataArray]:
    """Parameters of carryover and saturation, with a value for every channel."""
    form, transforms = stock_form(metadata), channel_transforms(metadata)
    definition = SATURATIONS[form.saturation]
    kept = {
        label: _for_all_channels(draws, label, transforms, value)
        for family, values in (
            ("adstock", ADSTOCKS[form.adstock.kind].no_carryover),
            ("saturation", definition.line),
        )
        for name, value in values.items()
        for label in [f"{family}_{name}"]
    }
    is_line = [channel.saturation.kind is SaturationKind.NONE for channel in transforms]
    factor = np.where(is_line, definition.line_factor, 1.0)
    beta = draws["saturation_beta"] * xr.DataArray(factor, dims=CHANNEL_DIM)
    return kept | _amplitude(beta, kept, definition)


def _for_all_channels(
    draws: xr.Dataset, label: str, transforms: Sequence[ChannelTransforms], otherwise: float
) -> xr.DataArray:
    """Draws of one parameter, ``(chain, draw, channel)``, completed for channels without it."""
    has = has_parameter(transforms, label)
    values = np.full((draws.sizes["chain"], draws.sizes["draw"], len(transforms)), otherwise)
    if has.any():
        values[..., has] = draws[label].transpose("chain", "draw", ...).to_numpy()
    return xr.DataArray(values, dims=("chain", "draw", CHANNEL_DIM))


def _amplitude(
    beta: xr.DataArray, kept: dict[str, xr.DataArray], definition: Saturation
) -> dict[str, xr.DataArray]:
    """Amplitude by the name that the stock curve has for it; what it lacks leaves ``kept``."""
    prefix = "saturation_"
    learned = {n.removeprefix(prefix): v for n, v in kept.items() if n.startswith(prefix)}
    amplitude = definition.to_stock(beta, learned)
    for name in definition.parameters:
        if name not in learned:
            del kept[f"{prefix}{name}"]
    return {f"{prefix}{name}": values for name, values in amplitude.items()}
