"""Does following the advice pay? ``python benchmarks/decisions.py --help``.

Weekly decisions on own worlds with known truth. Each decision refits a world with the product's
defaults, makes the default budget plan, and computes from the law of the world what the plan truly
gains, over its horizon and the carryover after it, against the same money in today's mix. A world
is decided on once a horizon: its later decisions know that many weeks more.
``benchmarks/recovery/generator.py`` states the law that worlds are drawn from; it is not the prior.

advice     F: the plan says to follow it; -: advice is withheld, keep today's mix
P(gain)    probability of a gain that the plan states
gain %     mean gain that the plan states, in percent of what today's mix truly brings
low, high  its 90 % interval
true %     what the candidate truly gains, advised or not; in: whether the interval holds it
oracle %   gain of the best plan on the truth within the plan's bounds; got: share of it realized
held       channels that the prior decided, which a plan does not move, of all
moved      share of the budget that the candidate puts elsewhere
"""

import argparse
import json
import logging
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recovery.decision import Decision, decide
from benchmarks.recovery.generator import Shape, generate_known_world
from benchmarks.recovery.tables import render_rows
from benchmarks.recovery.worlds import leave_out_last
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.sampler import SamplerSpec

FIRST_SEED = 9001
N_WORLDS = 25
N_DECISIONS = 2

SHAPES = tuple(
    Shape(n_weeks, n_entities, n_channels)
    for n_weeks, n_entities, n_channels in (
        (104, 1, 3), (130, 1, 4), (156, 1, 5), (104, 1, 6), (130, 1, 7), (156, 1, 8),
        (104, 2, 3), (130, 2, 4), (156, 2, 5), (104, 2, 6), (130, 2, 7), (156, 2, 8),
        (104, 3, 3), (130, 3, 4), (156, 3, 5), (104, 3, 6), (130, 3, 7), (156, 3, 8),
    )
)  # fmt: skip
"""Two or three years of a company in one to three markets, with three to eight paid channels; the
weeks are those that the first decision knows."""

COLUMNS = {
    "world": "{world:<9}",
    "weeks x ent x ch": "{size:<16}",
    "advice": "{advice:>6}",
    "P(gain)": "{prob_gain:>7.3f}",
    "gain %": "{gain_mean:>7.2f}",
    "low": "{gain_low:>7.2f}",
    "high": "{gain_high:>7.2f}",
    "true %": "{true_gain:>7.2f}",
    "in": "{inside:>3}",
    "oracle %": "{oracle_gain:>8.2f}",
    "got": "{realized:>6}",
    "held": "{held:>5}",
    "moved": "{moved:>6.3f}",
    "r_hat": "{r_hat_max:>6.3f}",
    "div": "{n_divergences:>4}",
}
"""Heading and format of every figure."""

GAINS = ("gain_mean", "gain_low", "gain_high", "true_gain", "oracle_gain")
BINS = (0.0, 0.7, 0.9, 0.97, 1.0)
"""Edges of the groups of P(gain > 0) whose realized shares are compared with it."""


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    defaults = SamplerSpec()
    parser.add_argument("--worlds", type=int, default=N_WORLDS)
    parser.add_argument("--decisions", type=int, default=N_DECISIONS, help="of each world")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="seed of the first world")
    parser.add_argument("--chains", type=int, default=defaults.chains)
    parser.add_argument("--tune", type=int, default=defaults.tune)
    parser.add_argument("--draws", type=int, default=defaults.draws)
    parser.add_argument("--out", type=Path, help="write all figures as JSON, or a table as .md")
    return parser.parse_args()


def decide_on_world(
    index: int, seed: int, n_decisions: int, sampler: SamplerSpec
) -> list[Decision]:
    """Decide on one world, a horizon apart; shapes take turns."""
    settings = OptimizerSpec()
    later = settings.horizon * (n_decisions - 1)
    first = SHAPES[index % len(SHAPES)]
    shape = Shape(first.n_weeks + later, first.n_entities, first.n_channels, first.n_controls)
    world, media = generate_known_world(seed, shape)
    return [
        decide(leave_out_last(world, left_out), media, sampler, settings)
        for left_out in range(later, -1, -settings.horizon)
    ]


def describe(decision: Decision) -> dict[str, Any]:
    """One row of the table: gains in percent of what today's mix brings."""
    row: dict[str, Any] = decision.as_row()
    in_percent = {name: 100 * row[name] / decision.media for name in GAINS}
    realized = decision.true_gain / decision.oracle_gain if decision.oracle_gain > 0 else np.nan
    return {
        **row,
        **in_percent,
        "advice": "F" if decision.advised else "-",
        "inside": "yes" if decision.is_inside else "no",
        "realized": "-" if np.isnan(realized) else f"{realized:.2f}",
        "held": f"{decision.n_prior_driven}/{decision.n_channels}",
    }


def summarize(decisions: list[Decision]) -> list[str]:
    """Say what all decisions together show, line by line."""
    advised = [d for d in decisions if d.advised]
    lines = [f"{len(decisions)} decisions; advice is given in {_share(decisions, 'advised')}"]
    if advised:
        lines += [
            f"advised: the true gain is positive in {_share(advised, 'is_good')}; "
            f"the 90 % interval holds it in {_share(advised, 'is_inside')}",
            f"advised: the true gain is on average {_mean(advised, 'true_gain', 'media'):.2%} of "
            f"what today's mix brings and {_mean(advised, 'true_gain', 'kpi'):.3%} of the KPI "
            f"(stated: {_mean(advised, 'gain_mean', 'media'):.2%} and "
            f"{_mean(advised, 'gain_mean', 'kpi'):.3%})",
            f"advised: {_total(advised, 'true_gain') / _total(advised, 'oracle_gain'):.1%} of the "
            "oracle's gain is realized",
        ]
    lines += [
        f"all candidates: the true gain is positive in {_share(decisions, 'is_good')}; "
        f"the 90 % interval holds it in {_share(decisions, 'is_inside')}",
        f"advice followed where given: {_followed(decisions):.1%} of the oracle's gain is realized",
        *_calibration(decisions),
        *_regret(decisions),
    ]
    return lines


def _share(decisions: list[Decision], name: str) -> str:
    true = sum(bool(getattr(d, name)) for d in decisions)
    return f"{true}/{len(decisions)} ({true / len(decisions):.1%})"


def _total(decisions: list[Decision], name: str) -> float:
    """Sum over decisions, each in units of what its world's media bring: no world dominates."""
    return float(sum(getattr(d, name) / d.media for d in decisions))


def _mean(decisions: list[Decision], name: str, unit: str) -> float:
    return float(np.mean([getattr(d, name) / getattr(d, unit) for d in decisions]))


def _followed(decisions: list[Decision]) -> float:
    return _total([d for d in decisions if d.advised], "true_gain") / _total(
        decisions, "oracle_gain"
    )


def _calibration(decisions: list[Decision]) -> list[str]:
    """Mean stated probability against the share that truly gains, by groups of the former."""
    lines = []
    for low, high in pairwise(BINS):
        group = [
            d for d in decisions if low <= d.prob_gain < high or d.prob_gain == high == BINS[-1]
        ]
        if group:
            stated = np.mean([d.prob_gain for d in group])
            lines.append(
                f"P(gain > 0) in [{low:g}, {high:g}]: {stated:.1%} stated, "
                f"{_share(group, 'is_good')} realized"
            )
    return lines


def _regret(decisions: list[Decision]) -> list[str]:
    """Stated against realized losses, in shares of what today's mix brings."""
    loss = np.mean([max(-d.true_gain, 0.0) / d.media for d in decisions])
    beyond = np.mean([(d.oracle_gain - d.true_gain) / d.media for d in decisions])
    return [
        f"expected regret {_mean(decisions, 'expected_regret', 'media'):.3%} stated, "
        f"{loss:.3%} realized; gain of perfect information "
        f"{_mean(decisions, 'perfect_information', 'media'):.2%} stated, {beyond:.2%} realized"
    ]


def write_figures(path: Path, decisions: list[Decision]) -> None:
    """Write the table as markdown, or everything as JSON."""
    if path.suffix == ".md":
        text = render_markdown(decisions)
    else:
        text = json.dumps([d.as_row() for d in decisions], indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def render_markdown(decisions: list[Decision]) -> str:
    """Return the table and the summary as markdown."""
    cells = [
        [form.format(**row).strip() for form in COLUMNS.values()]
        for row in map(describe, decisions)
    ]
    lines = [list(COLUMNS), ["---"] * len(COLUMNS), *cells]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([table, "", *(f"- {line}" for line in summarize(decisions))])


def main() -> None:
    """Print one line per decision when its world is done, then the table and what it shows."""
    args = read_arguments()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    sampler = SamplerSpec(draws=args.draws, tune=args.tune, chains=args.chains)
    decisions: list[Decision] = []
    for index in range(args.worlds):
        found = decide_on_world(index, args.seed + index, args.decisions, sampler)
        decisions += found
        for decision in found:
            advice = "follow" if decision.advised else "withheld"
            print(f"{decision.world} {decision.size}: {advice}", flush=True)
        if args.out:
            write_figures(args.out, decisions)
    print(f"{sampler.chains} chains x {sampler.tune}/{sampler.draws}")
    print(render_rows([describe(d) for d in decisions], COLUMNS, ("world", "weeks x ent x ch")))
    print("\n".join(summarize(decisions)))


if __name__ == "__main__":
    main()
