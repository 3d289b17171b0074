"""What differs between two runs, and which fits tell it apart. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from schemas.documents.changes import STEPS, CounterfactualFit, Factor
from schemas.documents.results import RunRecord
from schemas.errors import IncomparableRunsError
from schemas.refs import FeaturesRef, SnapshotRef
from schemas.spec.differences import changed_keys, fit_settings
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.explain.orders import (
    State,
    is_of_later_spec,
    name_state,
    panel_state,
    states_between,
)
from tasks.explain.panels import SideBySide
from tasks.explain.route import choose_noise_state
from tasks.mathematics.seeds import derive_seed

_MAX_KEYS = 8
_OLDER_CODE = (
    "Run {run} was made by other code or libraries than today's; the part beside its fit also "
    "holds what that changed."
)


@dataclass(frozen=True)
class RunFacts:
    """What is compared of one run."""

    run_id: str
    dataset_id: str
    created_at: datetime
    spec: RunSpec
    sampler: SamplerSpec
    """Of the fit that was taken; an escalation has other settings than the spec."""
    roles: Mapping[str, Any]
    fingerprint: str | None
    """Code and libraries of the fit; None where the run does not say."""
    snapshot: SnapshotRef
    features: FeaturesRef

    @property
    def as_of(self) -> date:
        """Knowledge date."""
        return self.snapshot.as_of

    @property
    def fit_spec(self) -> RunSpec:
        """The spec with the settings that the fit was made with."""
        return self.spec.model_copy(update={"sampler": self.sampler})


@dataclass(frozen=True)
class Differences:
    """Factors in the order of ``STEPS``, with what is known of each."""

    changed: list[Factor]
    facts: dict[str, str]
    notes: list[str]


def require_two_of_one_dataset(earlier: RunRecord, later: RunRecord) -> None:
    """Refuse one run named twice, and runs of two datasets.

    Raises
    ------
    IncomparableRunsError
        Saying what to name instead.
    """
    if earlier.run_id == later.run_id:
        raise IncomparableRunsError(
            f"{earlier.run_id} is both runs; name an earlier and a later one (`mmm runs`)."
        )
    if earlier.dataset_id != later.dataset_id:
        raise IncomparableRunsError(
            f"Run {earlier.run_id} is of dataset {earlier.dataset_id!r}, run {later.run_id} of "
            f"{later.dataset_id!r}; name two runs of one dataset (`mmm runs --dataset ID`)."
        )


def require_order(earlier: RunFacts, later: RunFacts) -> None:
    """Refuse to explain what was known first by what was known later.

    Raises
    ------
    IncomparableRunsError
        If the second run knew less than the first.
    """
    if (later.as_of, later.created_at) < (earlier.as_of, earlier.created_at):
        raise IncomparableRunsError(
            f"Run {later.run_id} is earlier ({later.as_of}) than run {earlier.run_id} "
            f"({earlier.as_of}); name the earlier run first: `mmm explain {later.run_id} "
            f"{earlier.run_id}`."
        )


def find_differences(
    earlier: RunFacts, later: RunFacts, panels: SideBySide, *, today: str
) -> Differences:
    """Report which factors differ; a spec or code that is not known counts as another one.

    Parameters
    ----------
    earlier, later
        The two runs.
    panels
        Their panels.
    today
        Fingerprint of the code that auxiliary fits will be made with.
    """
    keys = changed_keys(
        fit_settings(later.spec, later.sampler, later.roles),
        fit_settings(earlier.spec, earlier.sampler, earlier.roles),
    )
    is_other_code = earlier.fingerprint is None or earlier.fingerprint != later.fingerprint
    found = {
        Factor.SPEC_OR_CODE: bool(keys) or is_other_code,
        Factor.RESTATED: panels.is_restated,
        Factor.NEW_PERIODS: panels.n_new_rows > 0,
    }
    facts = {
        Factor.SPEC_OR_CODE.value: _report_spec(keys, is_other_code=is_other_code),
        Factor.RESTATED.value: panels.restated_words,
        Factor.NEW_PERIODS.value: panels.new_words,
    }
    changed = [factor for factor in STEPS if found[factor]]
    return Differences(
        changed=changed,
        facts={name: fact for name, fact in facts.items() if Factor(name) in changed},
        notes=_notes(earlier, later, panels, changed, today),
    )


def feasible_states(
    earlier: RunFacts, changed: Sequence[Factor], panels: SideBySide, *, today: str
) -> list[State]:
    """Return the states between two runs that can be fitted, those on the way of ``STEPS`` first.

    The earlier run's spec can be fitted to later data only by the code that it was made with.

    Parameters
    ----------
    earlier
        The earlier run.
    changed
        Factors that differ.
    panels
        Both panels.
    today
        Fingerprint of today's code.
    """
    is_repeatable = earlier.fingerprint == today and panels.is_comparable
    return [
        state
        for state in states_between(changed)
        if (is_repeatable or is_of_later_spec(state, changed))
        and panels.state(panel_state(state, changed)) is not None
    ]


def plan_fits(
    earlier: RunFacts,
    later: RunFacts,
    changed: Sequence[Factor],
    snapshots: Mapping[State, SnapshotRef],
    *,
    today: str,
    is_noise_known: bool,
) -> tuple[list[CounterfactualFit], State | None]:
    """Return the fits to make: one per state between the runs, at most six, and a repetition.

    A state is fitted once, however many orders pass through it. Those on the way of ``STEPS`` come
    first, then the repetition: where time runs out, one order is whole.

    Parameters
    ----------
    earlier, later, changed
        The two runs and the factors that differ.
    snapshots
        Panels of the states that can be fitted, in the order in which they are to be.
    today
        Fingerprint of today's code.
    is_noise_known
        Whether repetitions of the earlier run with other seeds are on record.

    Returns
    -------
    tuple
        The fits, and the factors let in where another seed is tried.
    """
    noise_at = choose_noise_state(
        changed,
        before_is_current=earlier.fingerprint == today,
        after_is_current=later.fingerprint == today,
    )
    fits = {
        state: _fit_state(earlier, later, changed, state, snapshot)
        for state, snapshot in snapshots.items()
    }
    if noise_at is None or (not noise_at and is_noise_known):
        return [*fits.values()], noise_at
    repetition = _repetition(earlier, later, fits.get(noise_at), noise_at)
    n_first = max(len(changed) - 1, 0)
    planned = [*fits.values()]
    return [*planned[:n_first], repetition, *planned[n_first:]], noise_at


def _fit_state(
    earlier: RunFacts,
    later: RunFacts,
    changed: Sequence[Factor],
    state: State,
    snapshot: SnapshotRef,
) -> CounterfactualFit:
    is_later = is_of_later_spec(state, changed)
    data = {
        frozenset(): "the data of then",
        frozenset({Factor.RESTATED}): "the periods of then, with today's values",
        frozenset({Factor.NEW_PERIODS}): "the values of then, with the new periods",
        frozenset({Factor.RESTATED, Factor.NEW_PERIODS}): "the data of now",
    }[state - {Factor.SPEC_OR_CODE}]
    seed = later if state - {Factor.SPEC_OR_CODE} else earlier
    return CounterfactualFit(
        name=name_state(state),
        says=f"spec of {'now' if is_later else 'then'} on {data}",
        spec=_with_seed((later if is_later else earlier).fit_spec, seed.sampler.random_seed),
        snapshot=snapshot,
    )


def _repetition(
    earlier: RunFacts, later: RunFacts, between: CounterfactualFit | None, noise_at: State
) -> CounterfactualFit:
    """Another seed at the earlier run, at the later one, or at a fit between them."""
    if between is None:
        run = later if noise_at else earlier
        spec, features, snapshot, says = run.fit_spec, run.features, run.snapshot, run.run_id
    else:
        spec, features, snapshot, says = between.spec, None, between.snapshot, between.says
    return CounterfactualFit(
        name=Factor.NOISE.value,
        says=f"{says}, with another seed",
        spec=_with_seed(spec, derive_seed(spec.sampler.random_seed, 1)),
        snapshot=snapshot,
        features=features,
    )


def _with_seed(spec: RunSpec, seed: int) -> RunSpec:
    sampler = spec.sampler.model_copy(update={"random_seed": seed})
    return spec.model_copy(update={"sampler": sampler})


def _report_spec(keys: Sequence[str], *, is_other_code: bool) -> str:
    more = f" and {len(keys) - _MAX_KEYS} more" if len(keys) > _MAX_KEYS else ""
    reported = [f"run spec: {', '.join(keys[:_MAX_KEYS])}{more}"] if keys else []
    return "; ".join([*reported, *(["other code or libraries"] if is_other_code else [])])


def _notes(
    earlier: RunFacts,
    later: RunFacts,
    panels: SideBySide,
    changed: Sequence[Factor],
    today: str,
) -> list[str]:
    notes = []
    if not panels.is_comparable:
        notes.append(
            "The two panels have no entity in common (the level changed?), so restated values "
            "cannot be told from the changed spec."
        )
    if later.fingerprint != today:
        notes.append(_OLDER_CODE.format(run=later.run_id))
        if earlier.fingerprint != today and len(changed) == 1:
            notes.append(
                "Neither run can be repeated by today's code, so there is no part for sampling "
                "noise; what is more than noise is reported by the Monte Carlo standard errors."
            )
    if earlier.fingerprint is None or later.fingerprint is None:
        notes.append("A run does not say which code made it, which counts as other code.")
    return notes
