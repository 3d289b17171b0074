"""What kind ``causal_gru`` declares."""

import importlib.util
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from schemas.documents.features import FeatureMetadata
from schemas.errors import SpecError
from schemas.names import Artifact
from schemas.outcomes import GateOutcome
from schemas.spec.causal_gru import CausalGruSpec
from schemas.spec.kinds import KINDS, ModelKind
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.causal_gru.fitted import CausalGruFitted
from tasks.models.causal_gru.graph import describe_graph
from tasks.models.causal_gru.knowledge import contradictions, find_nodes, kpi_gates
from tasks.models.causal_gru.scores import describe_defeat, judge_scores, read_scores
from tasks.models.causal_gru.sequences import context_names, read_settings
from tasks.models.contract import ModelInputs
from tasks.models.graph_picture import draw_graph
from tasks.models.kind import Sampled, Watch
from tasks.models.linear import describe_terms
from tasks.models.refitted import (
    RefittedKind,
    no_media,
    refuse_what_is_no_number,
    share_reporter,
)

LIBRARIES = ("jax", "equinox", "optax")
"""What the extra installs."""
_INSTALL = "make setup EXTRAS=causal"
_LEAST_PERIODS = 60
"""Fitted periods: a season has to be seen before the first origin that is scored."""


class CausalGruKind(RefittedKind):
    """A direct path, and a recurrent network for what it leaves, gated by a learned graph."""

    spec = KINDS[ModelKind.CAUSAL_GRU]
    libraries = LIBRARIES
    files = (Artifact.CAUSAL_GRAPH, Artifact.CAUSAL_GRAPH_PICTURE)

    def own_block(self, spec: RunSpec) -> CausalGruSpec:
        """Return ``model.causal_gru``."""
        return spec.model.causal_gru

    def settings(self, spec: RunSpec) -> dict[str, Any]:
        """Seasons, trend and events, and its own block.

        Raises
        ------
        SpecError
            If the extra is not installed, or the spec states what this kind would have to ignore.
        """
        absent = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
        if absent:
            raise SpecError(
                f"kind {self.name} needs {', '.join(absent)}, which a plain installation does not "
                f"have; install the extra with `{_INSTALL}`, or set model.kind to mmm or ridge"
            )
        return super().settings(spec)

    def facts(self, panel: xr.Dataset, inputs: ModelInputs, spec: RunSpec) -> dict[str, Any]:
        """Nothing; a panel that is too short or has no media is refused here."""
        known = spec.model.causal_gru.background
        problems = [
            *_too_short(panel),
            *no_media(panel),
            *contradictions(find_nodes(inputs.metadata), known),
        ]
        if problems:
            raise SpecError("; ".join(problems), problems)
        return {}

    def count_parameters(self, metadata: FeatureMetadata) -> int:
        """Direct path, gates, and every weight of the network."""
        own, n_entities = read_settings(metadata), len(metadata.entities)
        n_channels, n_terms = len(metadata.channels), len(describe_terms(metadata))
        units, n_read = own.hidden_units, len(context_names(metadata))
        network = 3 * units * (n_read + units + 1) + units + units * (units + 1) + 2 * units
        direct = n_channels * (4 + n_entities + units) + n_terms * (1 + n_entities)
        gates = n_channels + len(metadata.controls)
        return network + direct + gates + 2 * n_entities

    def longest_carryover(self, metadata: FeatureMetadata) -> int:
        """Lags of the geometric weights, and what the network looks back beyond them."""
        l_max = max(channel.learned_adstock.l_max for channel in metadata.channels)
        return l_max + read_settings(metadata).memory_periods - 1

    def drawn(self, metadata: FeatureMetadata, settings: SamplerSpec) -> SamplerSpec:
        """Return the members, laid out as two chains.

        Chains of thousands of draws are what MCMC needs: as many networks would take an hour.
        """
        members = read_settings(metadata).members
        return settings.model_copy(update={"chains": 2, "draws": members // 2})

    def memory_bytes(
        self, panel: xr.Dataset, metadata: FeatureMetadata, settings: SamplerSpec
    ) -> int:
        """Draws, and the network's states over every look back, in training four times as much."""
        own = read_settings(metadata)
        states = own.memory_periods * own.hidden_units * (len(metadata.channels) + 8)
        in_training = 4 * 4 * panel["kpi"].size * own.members * states
        return super().memory_bytes(panel, metadata, self.drawn(metadata, settings)) + in_training

    def fit(
        self, panel: xr.Dataset, inputs: ModelInputs, settings: SamplerSpec, watch: Watch
    ) -> Sampled:
        """Stop and score members at rolling origins, then train the ensemble."""
        # JAX is loaded where something is fitted, and nowhere else.
        from tasks.models.causal_gru.ensemble import Edges, fit_ensemble

        started = time.perf_counter()
        settings = self.drawn(inputs.metadata, settings)
        nodes = find_nodes(inputs.metadata)
        edges = Edges(*kpi_gates(nodes, read_settings(inputs.metadata).background))
        fitted = fit_ensemble(panel, inputs, edges, settings, share_reporter(watch))
        posterior = fitted.posterior.assign_attrs(fitted.scores._asdict())
        refuse_what_is_no_number(posterior, "members have parameters")
        tree = xr.DataTree.from_dict({"posterior": posterior})
        return Sampled(tree, "ensemble", {"train": time.perf_counter() - started})

    def judge(self, draws: xr.Dataset) -> list[GateOutcome]:
        """Compare its forecasts with the KPI of a year before and with a ridge."""
        return [judge_scores(read_scores(draws))]

    def why_withheld(self, draws: xr.Dataset) -> str | None:
        """Abstain where it forecasts no better than something simpler."""
        return describe_defeat(read_scores(draws))

    def why_no_champion(self, spec: RunSpec) -> str | None:
        """Only where the spec asks for it."""
        if spec.model.causal_gru.may_be_champion:
            return None
        return (
            f"kind {self.name} becomes champion by itself only where "
            "model.causal_gru.may_be_champion is true"
        )

    def open(self, draws: xr.Dataset, inputs: ModelInputs) -> CausalGruFitted:
        """Return what the members say."""
        return CausalGruFitted(draws, inputs)

    def extra_files(
        self, draws: xr.Dataset, panel: xr.Dataset, inputs: ModelInputs
    ) -> dict[Artifact, Callable[[Path], None]]:
        """The graph, as a document and as a picture."""
        graph = describe_graph(draws, panel, inputs)
        texts = {
            Artifact.CAUSAL_GRAPH: graph.model_dump_json(indent=2),
            Artifact.CAUSAL_GRAPH_PICTURE: draw_graph(graph),
        }
        return {name: partial(_write_text, text) for name, text in texts.items()}


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _too_short(panel: xr.Dataset) -> list[str]:
    n_fitted = int(panel[IS_ESTIMATION].sum())
    if n_fitted >= _LEAST_PERIODS:
        return []
    return [
        f"kind causal_gru needs {_LEAST_PERIODS} fitted periods, there are {n_fitted}; fit more "
        "history, or set model.kind to mmm or ridge"
    ]


CAUSAL_GRU = CausalGruKind()
