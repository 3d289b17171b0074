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
    "kpi_outlier": "single values of the KPI are far out",
    "missing_values": "values are missing",
    "restated_history": "history was restated",
    "vanished_history": "known rows are no longer in the file",
    "near_miss_column": "a column is ignored whose name looks like one that is read",
    "future_periods": "the file has periods that have not begun",
    "incomplete_last_period": "the last period may not be whole",
    "planned_rows": "what is planned cannot be used as it stands",
    "grain_undetectable": "the dates are neither weeks nor months",
    "padded_history": "a market was filled up with zeros",
    "units_of_money": "spend and KPI may be in different units",
    "implied_return": "spend and KPI may be in different units",
    "change_of_currency": "money may be in another currency from a day on",
    "change_of_unit": "numbers may be in another unit from a day on",
    "change_of_cost_per_unit": "contacts may be counted otherwise from a day on",
    "running_total": "numbers may be totals to date",
    "moving_average": "numbers look like averages over several periods",
    "kpi_by_month": "the KPI looks like months that were spread over weeks",
    "kpi_ceiling": "the KPI looks cut off at a ceiling",
    "kpi_net_of_media": "the cost of media may have been taken off the KPI",
    "media_after_kpi": "media may stand later than they ran",
    "spend_as_billed": "spend may stand where it was billed, not where it ran",
    "spend_follows_kpi": "spend may be a share of the KPI",
    "spend_without_activity": "money was spent where nothing ran",
    "activity_without_spend": "media ran for which no money stands there",
    "same_spend_everywhere": "all markets have the same spend",
    "control_follows_kpi": "a control follows the KPI closely",
    "priors_above_kpi": "priors together say more than the whole KPI",
}
"""By rule of a data check that can be a REVIEW."""


def amiss_in_data(rule: str) -> str:
    """Say what a data check found amiss, as a clause of a sentence."""
    return DATA_AMISS.get(rule, f"the data check “{rule.replace('_', ' ')}” needs a look")
