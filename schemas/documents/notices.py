"""What a notification says: one JSON document for people and for programs."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, computed_field

from schemas.outcomes import Verdict


class NoticeKind(StrEnum):
    """Why somebody is notified."""

    FAILURE = "failure"
    """The refit raised an error, or its process died."""
    REJECTION = "rejection"
    """A gate rejected the fit."""
    ALARM = "alarm"
    """A watch over what was published gave an alarm."""


class ChampionState(StrEnum):
    """What is known of the champion; a store that does not answer is not an absent champion."""

    IN_PLACE = "in_place"
    NONE_YET = "none_yet"
    UNKNOWN = "unknown"


class Champion(BaseModel):
    """The model that decisions rest on, and how old it is."""

    model_config = ConfigDict(frozen=True)

    state: ChampionState
    version: int | None = None
    run_id: str | None = None
    age_days: int | None = None
    """Whole days since its run began."""


class Notice(BaseModel):
    """``MMM_WEBHOOK_URL``: one notification; ``text`` says the same in words, for chat services."""

    model_config = ConfigDict(frozen=True)

    kind: NoticeKind
    job: str
    """Name of the flow."""
    dataset_id: str | None
    """None where the run spec could not be read."""
    run_id: str | None
    """None where the refit ended before it had a run."""
    verdict: Verdict | None
    reasons: list[str]
    champion: Champion
    artifacts_dir: str | None
    link: str | None
    """The flow run in the Prefect UI."""
    sent_at: datetime

    @computed_field
    def text(self) -> str:
        """The whole notice in a few lines of plain text."""
        dataset = self.dataset_id or "an unknown dataset"
        run = f" (run {self.run_id})" if self.run_id else ""
        lines = [
            _HEADLINES[self.kind].format(job=self.job, dataset=dataset, run=run),
            *(f"- {_shortened(reason)}" for reason in self.reasons[:MAX_REASONS]),
            *_rest(len(self.reasons) - MAX_REASONS),
            _champion_line(self.champion, dataset),
            *([f"Files: {self.artifacts_dir}"] if self.artifacts_dir else []),
            *([f"Prefect: {self.link}"] if self.link else []),
        ]
        return "\n".join(lines)


MAX_REASONS = 10
"""Reasons in ``text``; the list has all of them."""
MAX_REASON_CHARACTERS = 500
_HEADLINES = {
    NoticeKind.FAILURE: "{job} failed for {dataset}{run}.",
    NoticeKind.REJECTION: "A gate rejected the fit of {dataset}{run}.",
    NoticeKind.ALARM: "Alarm for {dataset}{run}.",
}


def _shortened(reason: str) -> str:
    if len(reason) <= MAX_REASON_CHARACTERS:
        return reason
    return reason[: MAX_REASON_CHARACTERS - 1] + "…"


def _rest(count: int) -> list[str]:
    return [f"- and {count} more"] if count > 0 else []


def _champion_line(champion: Champion, dataset: str) -> str:
    if champion.state is ChampionState.UNKNOWN:
        return "Which model is champion could not be looked up."
    if champion.state is ChampionState.NONE_YET:
        return f"{dataset} has no champion yet."
    named = "The champion" if champion.version is None else f"Champion {dataset}@{champion.version}"
    if champion.age_days is None:
        return f"{named} is in place, of unknown age."
    days = "1 day" if champion.age_days == 1 else f"{champion.age_days} days"
    return f"{named} is in place, {days} old."
