"""Judge the names of entities, which only the data give."""

from collections.abc import Iterable

from schemas.outcomes import MAX_PLACES, Finding, Layer, Verdict
from schemas.spec.name_rule import KEPT_FOR_ENTITIES, name_fault


def judge_entities(entities: Iterable[str]) -> list[Finding]:
    """Fail each entity whose name cannot be a key, ``MAX_PLACES`` of them at most.

    Parameters
    ----------
    entities
        Names of the panel's entities.

    Returns
    -------
    list[Finding]
        One finding per name.
    """
    faults = [(name, name_fault(name, kept=KEPT_FOR_ENTITIES)) for name in entities]
    return [
        Finding(
            layer=Layer.CANONICAL,
            rule="entity_name",
            verdict=Verdict.FAIL,
            message=f"entity {name!r} {fault}.",
            remedy="Rename it in the file, in all of its rows; rows that are totals of other "
            "entities leave out.",
            places=[name],
        )
        for name, fault in faults
        if fault
    ][:MAX_PLACES]
