"""Limits of every gate, with the defaults the product stands for; the run spec can set them."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Gates(BaseModel):
    """Frozen base of gate settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def _require_order(self, *names: str) -> None:
        """Raise if the limits named from strict to lenient are not in ascending order."""
        values = [getattr(self, name) for name in names]
        if values != sorted(values):
            raise ValueError(f"{', '.join(names)} must not decrease, got {values}")


class DataGates(Gates):
    """Limits on the data, before any sampling."""

    min_history_periods: int | None = Field(
        None,
        ge=8,
        description="Fewer periods: FAIL. Default: a year of weeks (52), two years of months (24).",
    )
    min_entity_periods: int = Field(
        13,
        ge=8,
        description="An entity that opened later or closed earlier with fewer: FAIL.",
    )
    max_abs_correlation: float = Field(
        0.999, gt=0, le=1, description="Two channels closer than this: FAIL."
    )
    max_vif: float = Field(
        10.0,
        gt=1,
        description="Variance inflation above: a note.",
    )
    min_rows_per_parameter: float = Field(
        5.0, ge=0, description="Fewer rows per parameter: a note."
    )
    max_missing_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Missing media or control values up to this share: REVIEW; above: FAIL.",
    )
    max_unpaired_share: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of a channel's spend in periods without activity above this: FAIL; of "
        "its activity without spend: REVIEW.",
    )
    unpaired_share_review: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of a channel's spend in periods without activity above this: REVIEW.",
    )
    max_spend_ratio: float = Field(
        3.0,
        gt=0,
        description="Spend of all channels over the value of the KPI above this: REVIEW.",
    )
    max_implied_return: float = Field(
        50.0,
        gt=0,
        description="A channel whose return is above this in a plain regression: REVIEW.",
    )
    outlier_robust_z: float = Field(6.0, gt=2, description="KPI further out in robust z: REVIEW.")
    max_drift_ratio: float = Field(
        3.0,
        gt=1,
        description="Values of the newest periods this many times beyond anything known before, "
        "up or down: REVIEW.",
    )
    restated_share_pass: float = Field(
        0.02,
        ge=0,
        description="Share of a column's history that a file may change: PASS, reported.",
    )
    restated_share_review: float = Field(
        0.2, ge=0, description="Up to this share: REVIEW; above: the file is quarantined."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self._require_order("restated_share_pass", "restated_share_review")
        return self

    def history_limit(self, *, monthly: bool) -> int:
        """Periods that a panel needs: a season has to be seen, months tell it twice."""
        return self.min_history_periods or (24 if monthly else 52)


class SamplingGates(Gates):
    """Limits on the sampler's own evidence (Vehtari et al. 2021; Betancourt 2016 for E-BFMI)."""

    r_hat_pass: float = Field(1.01, gt=1.0, le=1.1, description="Worst R-hat up to this: PASS.")
    r_hat_review: float = Field(
        1.05, gt=1.0, le=1.2, description="Up to this: REVIEW; above: FAIL."
    )
    ess_pass: float = Field(400, ge=50, description="Smallest bulk and tail ESS from this: PASS.")
    ess_review: float = Field(200, ge=25, description="From this: REVIEW; below: FAIL.")
    divergence_share_review: float = Field(
        0.001,
        ge=0,
        le=0.05,
        description="No divergence: PASS; up to this share: REVIEW; above: FAIL.",
    )
    ebfmi_pass: float = Field(0.3, gt=0, lt=1, description="Smallest E-BFMI from this: PASS.")
    ebfmi_review: float = Field(0.2, gt=0, lt=1, description="From this: REVIEW; below: FAIL.")
    tree_depth_share_pass: float = Field(
        0.01, gt=0, lt=1, description="Draws at maximum tree depth below this share: PASS."
    )
    tree_depth_share_review: float = Field(
        0.05, gt=0, lt=1, description="Below this: REVIEW; from it: FAIL."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self._require_order("r_hat_pass", "r_hat_review")
        self._require_order("ess_review", "ess_pass")
        self._require_order("ebfmi_review", "ebfmi_pass")
        self._require_order("tree_depth_share_pass", "tree_depth_share_review")
        return self


class FitGates(Gates):
    """Limits on what the fit says. In-sample fit alone never decides promotion."""

    ppc_p_fail: float = Field(
        0.01, ge=0, lt=0.5, description="Two-sided posterior predictive p below: FAIL."
    )
    ppc_p_review: float = Field(0.05, ge=0, lt=0.5, description="Below: REVIEW.")
    negative_baseline_review: float = Field(
        0.2, ge=0, le=1, description="P(baseline < 0) above: REVIEW."
    )
    negative_baseline_fail: float = Field(0.8, ge=0, le=1, description="Above: FAIL.")
    durbin_watson_low: float = Field(1.0, ge=0, le=2, description="Durbin-Watson below: REVIEW.")
    durbin_watson_high: float = Field(3.0, ge=2, le=4, description="Above: REVIEW.")
    min_contraction: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="One less the share of a shift of its prior that a channel's effect goes along "
        "with; below, the channel is prior-driven.",
    )
    min_likelihood_ratio: float = Field(
        3.0,
        ge=1,
        description="How much likelier the data must be with a channel than without it before "
        "they are said to show an effect.",
    )
    max_prior_driven_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="More channels prior-driven than this share: REVIEW. By default that is a "
        "note: each is named, and no plan moves money on it.",
    )
    max_common_movement: float = Field(
        0.7,
        gt=0,
        le=1,
        description="Correlation of a channel's changes against a year before with those of all "
        "others: above, and with the KPI moving along, REVIEW, since it cannot be told from "
        "demand. A lift test of the channel lifts it; 1 switches it off.",
    )
    max_return: float = Field(
        10.0,
        gt=0,
        description="Median ROAS of a channel that the data decided and no lift test measured "
        "above this: REVIEW.",
    )
    pareto_k_review_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Share of PSIS-LOO k > 0.7 above: REVIEW, where it is more than one period.",
    )
    max_lift_conflict: float = Field(
        2.0,
        gt=0,
        description="A lift test further than this many standard deviations from what the model "
        "says without it: REVIEW.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self._require_order("ppc_p_fail", "ppc_p_review")
        self._require_order("negative_baseline_review", "negative_baseline_fail")
        return self


class StabilityGates(Gates):
    """Limits on how far a refit may move from the champion before someone looks.

    Between posteriors of one width an overlap of 0.2 is a move by 1.08 standard deviations. One
    more week beside 104 moves a mean by about 0.1 of them, a year of them by about 0.6: so the
    limit is stated for a quarter of new data, and what is allowed goes with the root of its share.
    """

    min_overlap_review: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Overlap of a channel's 50 % interval of ROAS with the champion's below: "
        "REVIEW. Twice what the intervals share over the sum of their widths; 0.2 is a "
        "move by about one standard deviation. It holds where a quarter of the data is new to the "
        "champion; where less is, less may move, down to half a standard deviation, and where more "
        "is, more.",
    )


class GateSettings(Gates):
    """All gates of a run, and whether a REVIEW may become champion."""

    data: DataGates = DataGates()
    sampling: SamplingGates = SamplingGates()
    fit: FitGates = FitGates()
    stability: StabilityGates = StabilityGates()
    promote_on_review: bool = Field(
        False, description="Let a REVIEW become champion. A FAIL never does."
    )
