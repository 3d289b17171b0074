"""What a run spec says about media: channels, carryover, saturation, priors in business terms."""

from typing import Self

from pydantic import Field, model_validator

from schemas.spec.base import Choice, SpecModel
from schemas.spec.optimizer import ChannelBounds


class ChannelKind(Choice):
    """Paid media, owned media (no spend needed), or a competitor's activity (never positive)."""

    PAID = "paid"
    OWNED = "owned"
    COMPETITOR = "competitor"


class AdstockKind(Choice):
    """Shape of the carryover kernel over lags."""

    GEOMETRIC = "geometric"
    DELAYED = "delayed"
    WEIBULL_PDF = "weibull_pdf"
    WEIBULL_CDF = "weibull_cdf"
    BINOMIAL = "binomial"
    NONE = "none"


class Carryover(Choice):
    """How long effects are held likely to last before the data."""

    SHORT = "short"
    """Mostly days or weeks."""
    LONG = "long"
    """Mostly months; delayed: with a peak weeks later."""


class Slope(Choice):
    """How steeply a Hill curve is held likely to rise before the data."""

    MODERATE = "moderate"
    """From concave to somewhat S-shaped."""
    STEEP = "steep"
    """S-shaped: little input brings next to nothing."""


class SaturationKind(Choice):
    """Shape of diminishing returns."""

    HILL = "hill"
    LOGISTIC = "logistic"
    MICHAELIS_MENTEN = "michaelis_menten"
    TANH = "tanh"
    ROOT = "root"
    NONE = "none"


class AdstockSpec(SpecModel):
    """Learned carryover of kind ``mmm``: weights over ``l_max`` lags, summing to one."""

    kind: AdstockKind = Field(
        AdstockKind.GEOMETRIC,
        description="Weights over the lags: `geometric`, `delayed`, `weibull_pdf`, `weibull_cdf`, "
        "`binomial` or `none`.",
    )
    l_max: int = Field(
        26, ge=1, le=104, description="Number of lags, lag 0 included; 1 is no carryover."
    )
    carryover: Carryover = Field(
        Carryover.SHORT,
        description="What is held likely before the data: `short` (days or weeks) or `long` "
        "(months; `delayed`: a peak weeks later). `long` for `geometric` and `delayed` alone.",
    )

    @model_validator(mode="after")
    def _long_is_known(self) -> Self:
        known = (AdstockKind.GEOMETRIC, AdstockKind.DELAYED)
        if self.carryover is Carryover.LONG and self.kind not in known:
            raise ValueError(
                f"carryover long is known of adstock {' and '.join(known)} alone, not of "
                f"{self.kind}; take one of them, or leave it out"
            )
        return self


class SaturationSpec(SpecModel):
    """Learned saturation of kind ``mmm``, on each channel's input divided by its maximum."""

    kind: SaturationKind = Field(
        SaturationKind.HILL,
        description="`hill`, `logistic`, `michaelis_menten`, `tanh`, `root` or `none`; a competitor"
        " has none.",
    )
    before_adstock: bool = Field(False, description="Saturation comes before carryover.")
    slope: Slope = Field(
        Slope.MODERATE,
        description="What is held likely of a `hill` before the data: `moderate`, or `steep`: "
        "S-shaped.",
    )

    @model_validator(mode="after")
    def _steep_is_known(self) -> Self:
        if self.slope is Slope.STEEP and self.kind is not SaturationKind.HILL:
            raise ValueError(
                f"slope steep is known of saturation hill alone, not of {self.kind}; take hill, or "
                "leave it out"
            )
        return self


class PriorQuantity(Choice):
    """What a channel's prior is stated on: two business quantities, or the plain coefficient.

    The coefficient is pymc-marketing's ``saturation_beta``: the contribution at full saturation, as
    a fraction of the KPI scale.
    """

    SHARE = "share"
    ROAS = "roas"
    COEFFICIENT = "coefficient"


class ChannelPrior(SpecModel):
    """Log-normal prior on the size of what ``quantity`` names; ``median`` carries the sign.

    ``spread`` is the standard deviation of the logarithm: 0.7 says "within a factor of two, two
    times out of three". A competitor takes sales away, so its median is negative.
    """

    quantity: PriorQuantity = Field(
        PriorQuantity.SHARE,
        description="What the prior is stated on: `share` of the KPI, `roas`, or `coefficient` "
        "(contribution at full saturation over the KPI scale, pymc-marketing's "
        "`saturation_beta`).",
    )
    median: float = Field(description="Median of the log-normal prior; negative for a competitor.")
    spread: float = Field(
        1.0,
        gt=0,
        le=3,
        description="Standard deviation of its logarithm; 0.7 is a factor of two either way.",
    )

    @model_validator(mode="after")
    def _share_below_one(self) -> Self:
        if self.quantity is PriorQuantity.SHARE and abs(self.median) >= 1:
            raise ValueError(
                f"a contribution share must be below 1 in size, got {self.median}; "
                "write 5 percent as 0.05, or set quantity: roas"
            )
        return self


class ChannelSpec(SpecModel):
    """One channel. Its input to the model is ``activity`` when given, else ``spend``.

    ``adstock`` and ``saturation`` replace those of ``model`` as a whole.
    """

    name: str = Field(min_length=1, max_length=200, description="Name of the channel.")
    kind: ChannelKind = Field(
        ChannelKind.PAID,
        description="`paid`, `owned` (no spend), or `competitor` (never positive).",
    )
    activity: str | None = Field(
        None,
        description="Column of impressions, clicks, rating points. It enters the model when given, "
        "else spend does.",
    )
    spend: str | None = Field(None, description="Column of money.")
    prior: ChannelPrior | None = Field(
        None,
        description="Default: on its return; or `model.media_share`, where that is stated.",
    )
    adstock: AdstockSpec | None = Field(
        None, description="Carryover of this channel; without it that of `model` holds."
    )
    saturation: SaturationSpec | None = Field(
        None, description="Saturation of this channel; without it that of `model` holds."
    )
    bounds: ChannelBounds | None = Field(
        None, description="How far a budget plan may move it; default: `optimizer.max_change`."
    )

    @model_validator(mode="after")
    def _has_an_input(self) -> Self:
        if self.activity is None and self.spend is None:
            raise ValueError(
                f"channel {self.name!r} needs an activity column or a spend column, "
                f"such as spend: spend_{self.name}"
            )
        if self.kind is not ChannelKind.PAID and self.spend is not None:
            raise ValueError(
                f"channel {self.name!r} is {self.kind}: spend belongs to paid channels only"
            )
        if self.prior and self.prior.quantity is PriorQuantity.ROAS and self.spend is None:
            raise ValueError(f"channel {self.name!r} has a ROAS prior but no spend column")
        return self

    @model_validator(mode="after")
    def _prior_has_the_sign_of_the_kind(self) -> Self:
        if self.prior is None:
            return self
        median, is_rival = self.prior.median, self.kind is ChannelKind.COMPETITOR
        if median == 0:
            raise ValueError(
                f"channel {self.name!r} has a prior with median 0, which is no size; write a small "
                "number with a wide spread, or leave the channel out"
            )
        if (median < 0) is not is_rival:
            sign, effect = ("positive", "never adds") if is_rival else ("negative", "never takes")
            raise ValueError(
                f"channel {self.name!r} is {self.kind} and {effect}, but its prior has the {sign} "
                f"median {median:g}; write {-median:g}"
            )
        return self
