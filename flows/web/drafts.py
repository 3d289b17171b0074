"""The run spec that a page works on: what was saved, else the newest run's, else a guess."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flows.api.problems import ProblemError
from flows.api.services import JobService, parse_spec
from flows.web.wording import on_page
from schemas.answers.datasets import DraftSpec
from schemas.answers.jobs import CheckRequest, GuessRequest, JobKind
from schemas.documents.fit import PriorPredictive
from schemas.errors import MmmError
from schemas.spec.kinds import own_defaults
from schemas.spec.run_spec import RunSpec
from tasks.ingest import task_drafts, task_uploads
from tasks.query.outputs import read_document_of


def open_draft(dataset_id: str) -> DraftSpec:
    """Return the draft of a dataset: saved, else of the newest run, else by prefix of columns.

    Raises
    ------
    UnknownRunError
        If there is no such dataset.
    """
    dataset = task_uploads.open_dataset(dataset_id)
    saved = task_drafts.find_draft(dataset_id)
    if saved is not None:
        return saved
    written = _spec_of(dataset.newest_run_id) if dataset.newest_run_id else None
    text = task_drafts.write_text(written or {"dataset_id": dataset_id})
    by = f"the run spec of {dataset.newest_run_id}" if written else "columns known by their prefix"
    return task_drafts.make_draft(dataset_id, text, origin=by, reasons={})


def guess_draft(jobs: JobService, dataset_id: str) -> DraftSpec:
    """Look at the newest file of a dataset, guess a run spec for it, and keep it as its draft.

    Raises
    ------
    MmmError
        Why the file does not show what a spec needs.
    """
    request = GuessRequest(dataset_id=dataset_id, data=str(task_uploads.newest_file(dataset_id)))
    answer = jobs.answer_now(JobKind.GUESS, request.model_dump(mode="json"), dataset_id)
    found = DraftSpec.model_validate(answer)
    # Its comments say what to do next, and here that is a page.
    return task_drafts.save_draft(
        dataset_id, str(on_page(found.text)), origin=found.origin, reasons=found.reasons
    )


def save(dataset_id: str, text: str, *, seen: str, origin: str = "saved here") -> DraftSpec:
    """Keep a run spec that can be used, unless somebody else has changed it meanwhile.

    Parameters
    ----------
    dataset_id
        The dataset.
    text
        YAML.
    seen
        Digest of the draft that the form was made of.
    origin
        Where it is from.

    Raises
    ------
    SpecError
        With every problem of the spec.
    ProblemError
        412 where the draft is another one now.
    """
    current = open_draft(dataset_id)
    if seen != current.sha256:
        raise ProblemError(
            HTTPStatus.PRECONDITION_FAILED,
            "Somebody has changed this run spec meanwhile. Load the page again, then repeat your "
            "change.",
        )
    parse(dataset_id, text)
    return task_drafts.save_draft(dataset_id, text, origin=origin, reasons=current.reasons)


def predict_prior(jobs: JobService, dataset_id: str, spec: RunSpec) -> PriorPredictive:
    """Return what the priors of a run spec make of the newest file of a dataset.

    Raises
    ------
    MmmError
        Why the file or the spec cannot be used.
    """
    data = str(task_uploads.newest_file(dataset_id))
    request = CheckRequest(spec=spec, data=data).model_dump(mode="json")
    return PriorPredictive.model_validate(jobs.answer_now(JobKind.PRIOR, request, dataset_id))


def parse(dataset_id: str, text: str) -> RunSpec:
    """Return a run spec that a page holds, checked.

    Raises
    ------
    SpecError
        With every problem, each naming its key.
    """
    document = task_drafts.parse_text(text)
    return parse_spec({**document, "dataset_id": dataset_id})


def long_form(spec: RunSpec) -> dict[str, Any]:
    """Return a run spec without its defaults, every short form written out.

    A default that its model kind has another one for is written, so that it is read as it is.

    Parameters
    ----------
    spec
        The run spec.

    Returns
    -------
    dict
        As JSON would hold it, the dataset first.
    """
    stated = spec.model_dump(mode="json", exclude_defaults=True)
    kind = stated.get("model", {}).get("kind")
    for part, of_kind in own_defaults(kind).items():
        meant = {name: getattr(getattr(spec, part), name) for name in of_kind}
        if meant:
            stated[part] = {**meant, **stated.get(part, {})}
    return {"dataset_id": spec.dataset_id, **stated}


def rewrite(dataset_id: str, text: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return a run spec as YAML after a change; its comments stay wherever they can.

    Parameters
    ----------
    dataset_id
        The dataset.
    text
        YAML as it was.
    before, after
        What it says, and what it is to say.

    Returns
    -------
    str
        YAML that says ``after``, in every case.
    """
    plain = task_drafts.write_text({"dataset_id": dataset_id, **after})
    kept, meant = task_drafts.rewrite_text(text, before, after), _meaning(dataset_id, plain)
    # What is no run spec yet, a channel without a name, has no meaning to compare.
    return kept if kept and meant in (None, _meaning(dataset_id, kept)) else plain


def _meaning(dataset_id: str, text: str) -> dict[str, Any] | None:
    try:
        return long_form(parse(dataset_id, text))
    except MmmError:
        return None


def _spec_of(run_id: str) -> dict[str, Any] | None:
    """Return the run spec of a run without its defaults, as a person would write it.

    None where the run never wrote one, or its files are gone.
    """
    try:
        document = read_document_of(run_id, "spec")
    except MmmError:
        return None
    return long_form(parse_spec({**document, "data": None}))
