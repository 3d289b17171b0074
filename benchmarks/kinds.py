"""Contribution SRMSE of model kinds on the published recovery sets, side by side.

Every kind is fitted with its defaults, but for ``--pooling``; none is tuned to these sets. SRMSE is
the mean over entities and channels of the root mean squared error of weekly contributions over
their mean size.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np

from benchmarks.recovery.scores import Fit, label_totals, score_fit
from benchmarks.recovery.sets import load_set
from benchmarks.recovery.worlds import World, make_world
from schemas.names import ComponentKind
from schemas.spec.ridge import Pooling
from tasks.models.kind import Watch
from tasks.models.registry import find_kind, known_kinds


def measure(kind_name: str, world: World) -> dict[str, float]:
    """Fit one kind to one set and score its contributions.

    Returns
    -------
    dict
        ``srmse``, ``coverage`` of 90 % intervals of totals, and ``seconds``.
    """
    kind = find_kind(kind_name)
    watch = Watch(len(os.sched_getaffinity(0)))
    started = time.perf_counter()
    sampled = kind.fit(world.panel, world.inputs, world.spec.sampler, watch)
    seconds = time.perf_counter() - started
    draws = sampled.tree["posterior"].to_dataset()
    model = kind.open(draws, world.inputs)
    parts = [
        model.contribution(component, world.panel)
        for component in model.components
        if component.kind is ComponentKind.CHANNEL
    ]
    totals = np.stack([part.sum(axis=-1) for part in parts], axis=-1)
    weekly = np.stack([part.mean(axis=0) for part in parts], axis=1)
    leading = (draws.sizes["chain"], draws.sizes["draw"])
    fit = Fit(
        parameters=draws,
        totals=label_totals(totals.reshape(*leading, *totals.shape[1:]), world.truth),
        weekly=world.truth.copy(data=weekly),
        n_divergences=0,
    )
    scores = score_fit(fit, world.truth)
    return {"srmse": scores["srmse"], "coverage": scores["coverage"], "seconds": seconds}


def main() -> None:
    """Print one row per set and kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=["small", "growing"])
    parser.add_argument("--kinds", nargs="+", choices=sorted(known_kinds()), default=["ridge"])
    parser.add_argument("--pooling", choices=list(Pooling), help="model.pooling of those asked")
    folder = os.environ.get("MMM_RECOVERY_DATA")
    parser.add_argument("--data", type=Path, default=Path(folder) if folder else None)
    asked = parser.parse_args()
    if asked.data is None:
        print("skipped: set MMM_RECOVERY_DATA to the folder of the recovery sets, or give --data")
        return
    print(f"{'set':10}{'kind':16}{'SRMSE':>8}{'coverage':>10}{'seconds':>9}", flush=True)
    for name in asked.sets:
        known = load_set(name, asked.data)
        for kind in asked.kinds:
            model = {"kind": kind, **({"pooling": asked.pooling} if asked.pooling else {})}
            world = make_world(name, known.rows, known.truth, model=model)
            row = measure(kind, world)
            print(
                f"{name:10}{kind:16}{row['srmse']:8.3f}{row['coverage']:10.0%}"
                f"{row['seconds']:9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
