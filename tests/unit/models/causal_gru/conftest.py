"""Worlds of kind ``causal_gru`` and members made by hand: nothing here needs the extra."""

import importlib.util

import numpy as np
import pytest
import xarray as xr
from support.worlds import build_world, make_rows, make_spec

from schemas.names import CHANNEL_DIM, ENTITY_DIM, TERM_DIM
from tasks.models.causal_gru import names
from tasks.models.causal_gru.kind import LIBRARIES
from tasks.models.causal_gru.sequences import context_names, read_settings
from tasks.models.linear import describe_terms


@pytest.fixture
def as_if_installed(monkeypatch):
    """Only a fit needs the extra; everything around it is the same where it is absent."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: object() if name in LIBRARIES else find(name)
    )


@pytest.fixture
def make_world(as_if_installed):
    def make(n_entities=1, n_periods=80, rows=None, model=None, **settings):
        rows = make_rows(n_entities, n_periods) if rows is None else rows
        spec = make_spec("causal_gru", model={"causal_gru": settings, **(model or {})})
        return build_world(rows, spec)

    return make


@pytest.fixture
def make_draws():
    """Members with random parameters, as a fit publishes them."""

    def make(world, n_draws=3, seed=0):
        rng = np.random.default_rng(seed)
        metadata, units = world.metadata, read_settings(world.metadata).hidden_units
        entities, channels = metadata.entities, metadata.channel_names
        terms = [term.name for term in describe_terms(metadata)]
        context = context_names(metadata)
        signs = np.array([-1.0 if c.kind == "competitor" else 1.0 for c in metadata.channels])
        shape = (2, n_draws)

        def normal(*sizes):
            return rng.normal(0, 0.5, (*shape, *sizes))

        def positive(*sizes):
            return rng.uniform(0.1, 1.0, (*shape, *sizes))

        unit, state, gate = names.UNIT_DIM, names.STATE_DIM, names.GRU_GATE_DIM
        variables = {
            names.RETENTION: ((CHANNEL_DIM,), positive(len(channels)) * 0.8),
            names.HALF_SATURATION: ((CHANNEL_DIM,), positive(len(channels))),
            names.SLOPE: ((CHANNEL_DIM,), 0.8 + positive(len(channels))),
            names.CHANNEL_EFFECT: (
                (ENTITY_DIM, CHANNEL_DIM), positive(len(entities), len(channels)) * signs
            ),
            names.TERM_EFFECT: ((ENTITY_DIM, TERM_DIM), normal(len(entities), len(terms))),
            names.KPI_LEVEL: ((ENTITY_DIM,), normal(len(entities))),
            names.KPI_NOISE: ((ENTITY_DIM,), positive(len(entities))),
            names.SPREAD: ((ENTITY_DIM,), positive(len(entities))),
            names.RECURRENT_MEDIA: (
                (CHANNEL_DIM, unit), positive(len(channels), units) * signs[:, None]
            ),
            names.RECURRENT_SCALE: ((unit,), positive(units)),
            names.READOUT: ((unit,), normal(units)),
            names.KEEP_WEIGHT: ((unit, state), normal(units, units)),
            names.KEEP_BIAS: ((unit,), normal(units)),
            names.INPUT_WEIGHT: ((gate, names.CONTEXT_DIM), normal(3 * units, len(context))),
            names.STATE_WEIGHT: ((gate, state), normal(3 * units, units)),
            names.INPUT_BIAS: ((gate,), normal(3 * units)),
            names.CANDIDATE_BIAS: ((unit,), normal(units)),
        }  # fmt: skip
        lead = ("chain", "draw")
        return xr.Dataset(
            {name: ((*lead, *dims), values) for name, (dims, values) in variables.items()},
            coords={
                ENTITY_DIM: entities, CHANNEL_DIM: channels, TERM_DIM: terms,
                names.CONTEXT_DIM: context,
            },
        )  # fmt: skip

    return make
