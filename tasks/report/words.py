"""Plain words for verdicts, gates and advice. No numbers are made here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GateWords:
    """What a gate asks, which way is good, and how its number is written."""

    asks: str
    at_most: bool | None = None
    """None: either way, as limits report."""
    is_share: bool = False
    amiss: str = "a check did not pass"
    """What is wrong where it is no pass, as a clause of a sentence."""


GATES = {
    "r_hat_max": GateWords(
        "Do independent runs of the sampler arrive at the same answer?",
        True,
        amiss="independent runs of the sampler do not quite agree",
    ),
    "ess_bulk_min": GateWords(
        "Are there enough independent draws to trust the averages?",
        False,
        amiss="there are few independent draws behind the averages",
    ),
    "ess_tail_min": GateWords(
        "Are there enough independent draws to trust the ends of the intervals?",
        False,
        amiss="there are few independent draws behind the ends of the intervals",
    ),
    "divergence_share": GateWords(
        "Could the sampler go everywhere it had to, without losing its way?",
        True,
        True,
        amiss="the sampler lost its way in places",
    ),
    "ebfmi_min": GateWords(
        "Did the sampler move freely between likely and unlikely answers?",
        False,
        amiss="the sampler moved slowly between likely and unlikely answers",
    ),
    "max_tree_depth_share": GateWords(
        "Could the sampler finish its steps before its limit?",
        True,
        True,
        amiss="the sampler ran into its limit of steps",
    ),
    "ppc_p_mean": GateWords(
        "Does the model produce data with the same average KPI as the real data?",
        False,
        amiss="the model misses the average of the data",
    ),
    "ppc_p_sd": GateWords(
        "Does the model produce data that swing as much as the real data?",
        False,
        amiss="the model misses how much the data swing",
    ),
    "negative_baseline_prob": GateWords(
        "Would there be a KPI left without media, rather than a negative one?",
        True,
        True,
        amiss="the model would leave less than nothing without media",
    ),
    "durbin_watson": GateWords(
        "Are the model's misses free of runs (too high for weeks, then too low for weeks)?",
        False,
        amiss="the model is too high or too low for weeks in a row",
    ),
    "durbin_watson_upper": GateWords(
        "Are the model's misses free of zigzag (too high and too low in turn)?",
        True,
        amiss="the model is too high and too low in turn",
    ),
    "prior_driven_share": GateWords(
        "Did the data decide about the channels, rather than what was assumed before?",
        True,
        True,
        amiss="the data decide too few of the channels",
    ),
    "common_movement": GateWords(
        "Do channels move on their own, rather than all together with the KPI as demand would?",
        True,
    ),
    "recovered_coverage": GateWords(
        "Where the truth is known, on these very media, do intervals of this spec hold it?",
        False,
        True,
        amiss="on KPIs with known truth, intervals of this spec miss it too often",
    ),
    "pareto_k_bad_share": GateWords(
        "Does the fit rest on the whole history, rather than on a few single periods?",
        True,
        True,
        amiss="the fit rests on a few single periods",
    ),
    "stability_overlap_min": GateWords(
        "Do the returns agree with those of the champion, channel by channel?",
        False,
        amiss="returns moved away from the champion’s",
    ),
    "lift_conflict": GateWords(
        "Do the experiments and the weekly data report the same story?",
        True,
        amiss="experiments and weekly data disagree",
    ),
    "error_against_simpler_forecasts": GateWords(
        "Does the model forecast better than something simpler?",
        True,
        amiss="something simpler forecasts as well",
    ),
}


def gate_words(gate: str, pass_limit: float | None, review_limit: float | None) -> GateWords:
    """Return the words of a gate; one that is not known yet is named by its own name."""
    if gate in GATES:
        return GATES[gate]
    known = pass_limit is not None and review_limit is not None and pass_limit != review_limit
    at_most = pass_limit < review_limit if known else None  # type: ignore[operator]
    return GateWords(f"Is {gate.replace('_', ' ')} within its limit?", at_most)


DATA_AMISS = {
    "drift_ratio": "the newest data differ from what came before",
    "vif": "channels move together",
    "outlier": "single values are far out",
    "restated_history": "history was restated",
    "unnamed_columns": "columns of the file are ignored",
    "units": "spend and KPI may be in different units",
}


def amiss_in_data(rule: str) -> str:
    """Say what a data check found amiss, as a clause of a sentence."""
    return DATA_AMISS.get(rule, f"the data check “{rule.replace('_', ' ')}” needs a look")
