"""Champions: who it is and since when; accepting a run, going back to a version."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from flows.api import decisions
from flows.api.conventions import ERRORS, IfMatch, require_match
from flows.api.problems import ProblemError
from schemas.answers.champions import AcceptRequest, ChampionState, RollbackRequest
from schemas.answers.decisions import DecidedChampion
from tasks.query.champions import read_champion
from tasks.query.runs import dataset_of_run

router = APIRouter(prefix="/champions", tags=["champions"], responses=ERRORS)
DatasetId = Annotated[str, Path(description="Id of the dataset.", max_length=64)]


@router.get("/{dataset_id}", operation_id="get_champion")
def champion(dataset_id: DatasetId, response: Response) -> ChampionState:
    """Return the champion and every decision that led to it."""
    state = read_champion(dataset_id)
    response.headers["ETag"] = etag_of(state)
    return state


@router.post("/{dataset_id}/rollback", operation_id="roll_back_champion")
def rollback(
    dataset_id: DatasetId, asked: RollbackRequest, if_match: IfMatch = None
) -> DecidedChampion:
    """Give the champion alias to the champion before this one, or to a version by its number."""
    require_match(etag_of(read_champion(dataset_id)), if_match)
    return decisions.roll_back(dataset_id, asked)


@router.post("/{dataset_id}/accept", operation_id="accept_run")
def accept(
    dataset_id: DatasetId, asked: AcceptRequest, if_match: IfMatch = None
) -> DecidedChampion:
    """Accept what stands against a run under REVIEW: its version becomes champion."""
    require_match(etag_of(read_champion(dataset_id)), if_match)
    if dataset_of_run(asked.run_id) != dataset_id:
        raise ProblemError(
            HTTPStatus.CONFLICT, f"Run {asked.run_id} is of another dataset than {dataset_id}."
        )
    return decisions.accept(asked)


def etag_of(state: ChampionState) -> str:
    """Return the tag of a champion: every decision changes it."""
    version = state.champion.version if state.champion else "none"
    return f'"{version}-{len(state.history)}"'
