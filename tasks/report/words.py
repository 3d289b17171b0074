"""Plain words for verdicts, gates and advice. No numbers are made here."""

from dataclasses import dataclass

from schemas.outcomes import Verdict

VERDICT_TITLE = {
    Verdict.PASS: "Accepted",
    Verdict.REVIEW: "Look before you act",
    Verdict.FAIL: "Rejected",
    Verdict.NOT_EVALUATED: "Not judged",
}
VERDICT_SENTENCE = {
    Verdict.PASS: "Data and model passed every check. The numbers below can be used.",
    Verdict.REVIEW: (
        "The model was fitted, and something needs a look before money is moved; what it is stands "
        "below and under “Can we trust it?”."
    ),
    Verdict.FAIL: (
        "A check rejected this fit. The numbers below are shown to find the cause, not to act on. "
        "Nothing was promoted: an earlier champion and its plan still hold."
    ),
    Verdict.NOT_EVALUATED: (
        "This run has no verdict, so nothing below has been checked. Do not act on it."
    ),
}
TONE = {
    Verdict.PASS: "good",
    Verdict.REVIEW: "care",
    Verdict.FAIL: "bad",
    Verdict.NOT_EVALUATED: "care",
}


@dataclass(frozen=True)
class GateWords:
    """What a gate asks, which way is good, and how its number is written."""

    asks: str
    at_most: bool | None = None
    """None: either way, as limits report."""
    is_share: bool = False


GATES = {
    "r_hat_max": GateWords("Do independent runs of the sampler arrive at the same answer?", True),
    "ess_bulk_min": GateWords("Are there enough independent draws to trust the averages?", False),
    "ess_tail_min": GateWords(
        "Are there enough independent draws to trust the ends of the intervals?", False
    ),
    "divergence_share": GateWords(
        "Could the sampler go everywhere it had to, without losing its way?", True, True
    ),
    "ebfmi_min": GateWords(
        "Did the sampler move freely between likely and unlikely answers?", False
    ),
    "max_tree_depth_share": GateWords(
        "Could the sampler finish its steps before its limit?", True, True
    ),
    "ppc_p_mean": GateWords(
        "Does the model produce data with the same average KPI as the real data?", False
    ),
    "ppc_p_sd": GateWords(
        "Does the model produce data that swing as much as the real data?", False
    ),
    "negative_baseline_prob": GateWords(
        "Would there be a KPI left without media, rather than a negative one?", True, True
    ),
    "durbin_watson": GateWords(
        "Are the model's misses free of runs (too high for weeks, then too low for weeks)?", False
    ),
    "durbin_watson_upper": GateWords(
        "Are the model's misses free of zigzag (too high and too low in turn)?", True
    ),
    "prior_driven_share": GateWords(
        "Did the data decide about the channels, rather than what was assumed before?", True, True
    ),
    "pareto_k_bad_share": GateWords(
        "Does the fit rest on the whole history, rather than on a few single periods?", True, True
    ),
    "stability_overlap_min": GateWords(
        "Do the returns agree with those of the champion, channel by channel?", False
    ),
    "lift_conflict": GateWords(
        "Do the experiments and the weekly data report the same story?", True
    ),
}


def gate_words(gate: str, pass_limit: float | None, review_limit: float | None) -> GateWords:
    """Return the words of a gate; one that is not known yet is named by its own name."""
    if gate in GATES:
        return GATES[gate]
    known = pass_limit is not None and review_limit is not None and pass_limit != review_limit
    at_most = pass_limit < review_limit if known else None  # type: ignore[operator]
    return GateWords(f"Is {gate.replace('_', ' ')} within its limit?", at_most)
