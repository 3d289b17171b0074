"""What the OpenAPI document says is true: Schemathesis asks every operation of it.

Requests are made of the document, such as it allows and such as it forbids, about what is there and
about what is not. No answer is an error of the server; each has a status, a media type, headers and
a body that the document names, and nothing is taken that it forbids. What only one id or one order
of calls shows is missed here, so tests by example stay beside it.
"""

import shutil

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks
from support.desks import DeskHere, seat
from support.jobs_here import ChildHere

from flows.api import jobs, security
from flows.api.app import build_api, build_server, is_upload
from flows.api.security import Door
from tasks.query.outputs import OUTPUT_DOCUMENTS, PAGES, TABLES

ADDRESS = "http://127.0.0.1:8099"
DOCUMENT = schemathesis.openapi.from_dict(build_api().openapi())
OPERATIONS = sorted(
    (found.ok() for found in DOCUMENT.get_all_operations()),
    key=lambda operation: operation.method == "delete",
)
"""Every operation; what deletes comes last."""
THERE = {
    "run_id": st.just("run-1"),
    "dataset_id": st.just("demo"),
    "name": st.sampled_from([*OUTPUT_DOCUMENTS, *TABLES, *PAGES]),
}
"""Parts of a path that the home has."""
SPEC = {"dataset_id": "demo", "drivers": ["act_tv"]}
BODIES = {
    "create_run": {"spec": SPEC},
    "earlier_create_run": SPEC,
    "create_plan": {"models": [{"dataset_id": "demo"}]},
    "evaluate_plan": {"dataset_id": "demo", "rows": [{"channel": "tv", "spend": 5}]},
    "create_explanation": {"run_a": "run-1", "run_b": "run-1"},
    "accept_run": {"run_id": "run-1", "accepted_by": "me", "note": "why"},
    "roll_back_champion": {"version": "1"},
}
"""Bodies by operation that say something of this home."""
QUIET = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(scope="module")
def served(tmp_path_factory, published_template):
    """The API over a home with a run and a file; of its jobs, only short ones do anything."""
    root = tmp_path_factory.mktemp("schema").resolve()
    shutil.copytree(published_template, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(jobs, "_spawn", ChildHere)
        patch.setattr(security, "WRITES_PER_MINUTE", 1e9)
        server = build_server(Door(port=8099, is_upload=is_upload))
        with asgi.get_client(server) as client:
            seat(server, DeskHere())
            client.base_url = ADDRESS
            yield client
        asgi.shutdown_lifespans()


def ask(client, operation, data):
    """Draw a request of an operation, send it, and hold the answer against the document."""
    upload = client.put("/api/v1/datasets/demo/file?name=panel.csv", data=b"entity_id\nacme\n")
    assert upload.status_code in {201, 409}, (
        upload.text
    )  # 409: it is there since the example before
    given_parts = {}
    names = {parameter.name for parameter in operation.path_parameters}
    if data.draw(st.booleans(), label="is there"):
        given_parts["path_parameters"] = {
            name: data.draw(values) for name, values in THERE.items() if name in names
        }
    known = BODIES.get(operation.definition.raw["operationId"])
    if known is not None and data.draw(st.booleans(), label="known body"):
        given_parts["body"] = known
    mode = data.draw(st.sampled_from(GenerationMode))
    case = data.draw(operation.as_strategy(generation_mode=mode, **given_parts))
    # A cursor, a tag or an id that nobody gave out is refused, and no document can say which.
    case.validate_response(
        case.call(ADDRESS, session=client), excluded_checks=[checks.positive_data_acceptance]
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@settings(max_examples=3, **QUIET)
@given(data=st.data())
def test_an_operation_answers_as_the_document_says(served, operation, data):
    ask(served, operation, data)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@settings(max_examples=15, **QUIET)
@given(data=st.data())
def test_an_operation_answers_as_the_document_says_whatever_it_is_asked(served, operation, data):
    ask(served, operation, data)
