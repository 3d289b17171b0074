"""The ``model`` block of a run spec."""

from typing import Any, Self

from pydantic import Field, model_validator

from schemas.spec.base import Choice, SpecModel
from schemas.spec.baseline import HOLIDAYS_TERM, EventSpec, Trend, TrendSpec, refuse_repeats
from schemas.spec.causal_gru import CausalGruSpec
from schemas.spec.channels import AdstockSpec, SaturationSpec
from schemas.spec.kinds import KindName, ModelKind
from schemas.spec.ridge import Pooling, RidgeSpec


class Likelihood(Choice):
    """Noise around the expected KPI of kind ``mmm``; Student's t forgives outliers."""

    NORMAL = "normal"
    STUDENT_T = "student_t"


class ModelPart(Choice):
    """Part of a model of kind ``mmm`` that a refit may choose."""

    ADSTOCK = "adstock"
    SATURATION = "saturation"
    TREND = "trend"


class ModelSpec(SpecModel):
    """The model and its shape. Kind ``mmm`` learns ``adstock`` and ``saturation``."""

    kind: KindName = Field(
        ModelKind.MMM.value,
        description="`mmm` learns carryover and saturation; `log_student_t` takes them from "
        "`feature_config`, and is the default with it; `ridge` searches them by cross-validation; "
        "`causal_gru` learns a graph and a recurrent residual (`make setup EXTRAS=causal`).",
    )
    adstock: AdstockSpec = AdstockSpec()
    saturation: SaturationSpec = SaturationSpec()
    yearly_seasonality: int = Field(2, ge=0, le=26, description="Harmonics; 0 switches it off.")
    trend: Trend = Field(TrendSpec(), description="`trend: gp` and `trend: false` are short forms.")
    events: list[EventSpec] = []
    holidays: str | None = Field(
        None,
        description="Country code, such as `DE` or `US-CA`: public holidays per period as one more "
        "event.",
    )
    likelihood: Likelihood = Field(
        Likelihood.NORMAL,
        description="Noise of kind `mmm`: `normal`, or `student_t`, which forgives outliers.",
    )
    non_negative_baseline: bool = Field(
        False, description="Hold what is left without media at zero or above."
    )
    time_varying_media: bool = Field(
        False, description="Let one multiplier of all channels drift over time."
    )
    autocorrelated_noise: bool = Field(
        True, description="Noise of a period may last into the next one: AR(1)."
    )
    media_before: bool = Field(
        True,
        description="Media ran before the first row as in its first weeks (half as many as there "
        "are lags), so their carryover is felt there; `false` where nothing was spent before. "
        "Kind `mmm`.",
    )
    transform: str | None = Field(
        None,
        max_length=200,
        description="Kind `mmm`: class of your own in place of carryover and saturation, "
        "`package.module:Class` or the name of an entry point; see tasks/README.md.",
    )
    pooling: Pooling = Field(
        Pooling.PARTIAL,
        description="Effects of media and linear terms in the entities: `partial` draws each "
        "toward their average as far as the data say, `complete` has one for all, `none` each "
        "alone. Kind `mmm`: carryover and saturation are common; level and noise are each one's. "
        "Kind `log_student_t`: default `complete`, level and noise included.",
    )
    media_share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Prior median of all channels' share of the KPI, split evenly; default: a "
        "prior on returns, whose level is learned.",
    )
    share_spread: float | None = Field(
        None,
        gt=0,
        le=3,
        description="Spread of that prior, on the logarithm; 1 where `media_share` stands alone.",
    )
    choose: list[ModelPart] = Field(
        list(ModelPart),
        description="Parts that a refit of kind `mmm` may take otherwise where data speak against "
        "the default: longer or delayed carryover, steep curves, a smooth trend. Default: those of "
        "`adstock`, `saturation` and `trend` that are not stated; `[]`: none.",
    )
    ridge: RidgeSpec = RidgeSpec()
    causal_gru: CausalGruSpec = CausalGruSpec()

    @model_validator(mode="before")
    @classmethod
    def _leave_alone_what_is_stated(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "choose" in raw:
            return raw
        return {**raw, "choose": [part for part in ModelPart if part.value not in raw]}

    @model_validator(mode="after")
    def _events_named_once(self) -> Self:
        names = [event.name for event in self.events] + ([HOLIDAYS_TERM] if self.holidays else [])
        refuse_repeats("event", names)
        return self

    @model_validator(mode="after")
    def _one_transform(self) -> Self:
        stated = [
            name
            for name in ("adstock", "saturation")
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if self.transform is not None and stated:
            raise ValueError(
                f"transform takes the place of {' and '.join(stated)}; leave out one or the other"
            )
        return self


MEDIA_SHARE, SHARE_SPREAD = 0.3, 1.0
"""Where a spec states only the other one of ``media_share`` and ``share_spread``."""
