"""The specification of the published recovery benchmark, in stock pymc-marketing.

As ``pymc-labs/mmm-param-recovery`` has it: geometric adstock over 8 weeks, the Hill sigmoid with an
amplitude per channel and entity under a common mean, KPI and channels divided by their maximum, two
yearly harmonics. The published timing also counts posterior prediction and contributions in
original units; this one does not, which favors it.
"""

import os
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymc_extras.prior import Prior
from pymc_marketing.mmm import MMM, GeometricAdstock, HillSaturationSigmoid

from benchmarks.recovery.scores import Fit, Sampling
from benchmarks.recovery.worlds import CONTROL_PREFIX, KPI_COLUMN, SPEND_PREFIX, World
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN
from schemas.spec.sampler import SamplerSpec

L_MAX = 8
HARMONICS = 2


def fit_published(world: World, settings: SamplerSpec, *, sampler: str) -> tuple[Sampling, MMM]:
    """Build and fit the published specification.

    Parameters
    ----------
    world
        Panel to fit.
    settings
        Draws, tuning, chains, target acceptance, seed.
    sampler
        ``pymc`` for PyMC's own NUTS, or ``nutpie``.

    Returns
    -------
    tuple
        Draws with the seconds they took, and the model. ``sample`` is what PyMC reports as its
        sampling time; ``compile`` is the rest of ``MMM.fit``, so it holds compilation and the
        deterministics that are computed after sampling.
    """
    started = time.perf_counter()
    with warnings.catch_warnings():
        # Advice on priors and on convergence: the table shows the one, the spec is given.
        warnings.simplefilter("ignore")
        model, inputs, target = build_published(world)
        built = time.perf_counter()
        tree = model.fit(
            inputs,
            target,
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=min(settings.chains, len(os.sched_getaffinity(0))),
            target_accept=settings.target_accept,
            random_seed=settings.random_seed,
            nuts_sampler=sampler,
            progressbar=False,
        )
    spent = time.perf_counter() - built
    sampling = float(tree["posterior"].attrs["sampling_time"])
    seconds = {"build": built - started, "compile": spent - sampling, "sample": sampling}
    return Sampling(tree, seconds), model


def read_published(sampling: Sampling, model: MMM, world: World) -> Fit:
    """Return what is scored: free variables, and contributions in KPI units."""
    posterior = sampling.tree["posterior"].to_dataset()
    scale = model.scalers["_target"]
    contribution = posterior["channel_contribution"] * scale
    labels = {dim: world.truth[dim].values for dim in (ENTITY_DIM, CHANNEL_DIM, DATE_DIM)}
    renamed = contribution.assign_coords(
        {CHANNEL_DIM: [str(c).removeprefix(SPEND_PREFIX) for c in contribution[CHANNEL_DIM].values]}
    )
    ordered = renamed.sel(labels).transpose("chain", "draw", *labels)
    return Fit(
        parameters=posterior[[variable.name for variable in model.model.free_RVs]],
        totals=ordered.sum(DATE_DIM).transpose("chain", "draw", ENTITY_DIM, CHANNEL_DIM),
        weekly=ordered.mean(("chain", "draw")),
        n_divergences=int(sampling.tree["sample_stats"]["diverging"].sum()),
    )


def build_published(world: World) -> tuple[MMM, Any, Any]:
    """Return the built model of the published specification, its inputs and its target."""
    channels = [c for c in world.rows if str(c).startswith(SPEND_PREFIX)]
    controls = [c for c in world.rows if str(c).startswith(CONTROL_PREFIX)]
    rows = world.rows.rename(columns={ENTITY_COLUMN: ENTITY_DIM, PERIOD_COLUMN: DATE_DIM})
    model = MMM(
        date_column=DATE_DIM,
        target_column=KPI_COLUMN,
        channel_columns=channels,
        control_columns=controls or None,
        dims=(ENTITY_DIM,),
        scaling={
            "channel": {"method": "max", "dims": ()},
            "target": {"method": "max", "dims": ()},
        },
        saturation=_saturation(_spend_weight(world, channels)),
        adstock=GeometricAdstock(
            l_max=L_MAX, priors={"alpha": Prior("Beta", alpha=1, beta=3, dims=CHANNEL_DIM)}
        ),
        yearly_seasonality=HARMONICS,
    )
    inputs = rows[[DATE_DIM, ENTITY_DIM, *channels, *controls]]
    model.build_model(inputs, rows[KPI_COLUMN])
    return model, inputs, rows[KPI_COLUMN]


def _spend_weight(world: World, channels: list[str]) -> NDArray[np.float64]:
    """Number of channels × share of spend, averaged over entities, ``(channel,)``."""
    spend = world.rows.groupby(ENTITY_COLUMN)[channels].sum().to_numpy()
    return len(channels) * (spend / spend.sum(axis=1, keepdims=True)).mean(axis=0)


def _saturation(spend_weight: NDArray[np.float64]) -> HillSaturationSigmoid:
    return HillSaturationSigmoid(
        priors={
            "sigma": Prior(
                "InverseGamma",
                mu=Prior("HalfNormal", sigma=spend_weight, dims=CHANNEL_DIM),
                sigma=Prior("HalfNormal", sigma=1.5),
                dims=(CHANNEL_DIM, ENTITY_DIM),
            ),
            "beta": Prior("HalfNormal", sigma=1.5, dims=CHANNEL_DIM),
            "lam": Prior("HalfNormal", sigma=1.5, dims=CHANNEL_DIM),
        }
    )
