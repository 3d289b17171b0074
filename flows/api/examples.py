"""Examples of the OpenAPI document: of every parameter, every body and the errors.

Belongs here: values that a reader can send as they are, once the demo was uploaded and refitted.
Does not: what they mean, which stands at the parameter or the model.
"""

from collections.abc import Iterator
from typing import Any

_RUN = "demo-20261130T114520-ae4c"
_EARLIER_RUN = "demo-20261123T060004-0b1d"
_SPEC: dict[str, Any] = {
    "dataset_id": "demo",
    "grain": "WEEK",
    "drivers": ["act_tv", "act_search"],
    "controls": ["ctrl_price"],
}
_OF_PARAMETER: dict[str, Any] = {
    "dataset_id": "demo",
    "run_id": _RUN,
    "job_id": _RUN,
    "cursor": "ZGVtby0yMDI2MTEyM1QwNjAwMDQtMGIxZA",
    "limit": 50,
    "status": "OUTPUTS_READY",
    "verdict": "REVIEW",
    "kind": "refit",
    "as": "csv",
    "accept": "text/csv",
    "format": "timeseries",
    "plan": ["weekly plan", "less tv"],
    "run": [_EARLIER_RUN, _RUN],
    "idempotency-key": "refit-of-2026-11-30",
    "if-match": '"3-5"',
    "if-none-match": '"9b065809ee4d2a666ac80307438f999c-json"',
}
_OF_NAME = {
    "upload_file": "Panel 2024.csv",
    "get_output": "contributions",
    "earlier_output": "roi",
    "get_plan": "less tv",
}
"""``name`` is of another thing in each of these operations."""
_FILE = "entity_id,period_start,sales,spend_tv\nacme,2026-11-09,358075.96,7616.49\n"
_OF_BODY: dict[str, Any] = {
    "upload_file": _FILE,
    "earlier_upload": {"file": _FILE},
    "validate_dataset": _SPEC,
    "create_run": {"spec": _SPEC, "as_of": "2026-11-30"},
    "earlier_create_run": {**_SPEC, "draws": 500, "chains": 2},
    "create_plan": {"models": [{"dataset_id": "demo"}], "budget": 900000, "name": "more of search"},
    "evaluate_plan": {"dataset_id": "demo", "rows": [{"channel": "tv", "change": -0.1}]},
    "roll_back_champion": {"to": 2, "reason": "the file of week 47 was wrong"},
    "accept_run": {"run_id": _RUN, "reason": "the sale of week 47 explains the residuals"},
    "create_explanation": {"run_a": _EARLIER_RUN, "run_b": _RUN},
}
_MESSAGE = "panel.csv: it has more than 4,000 MB; the limit is 4,000 (MMM_INGEST_LIMITS: file_mb)."
_REMEDY = "Export the columns and rows that the spec names, or raise the limit."
_PROBLEM = {
    "type": "about:blank",
    "title": "Content Too Large",
    "status": 413,
    "detail": f"[FAIL] too_large: {_MESSAGE} {_REMEDY}",
    "code": "TooLargeFileError",
    "problems": [],
    "findings": [
        {
            "layer": "raw",
            "rule": "too_large",
            "verdict": "FAIL",
            "message": _MESSAGE,
            "remedy": _REMEDY,
            "file": "panel.csv",
        }
    ],
}


def add_examples(document: dict[str, Any]) -> dict[str, Any]:
    """Put an example beside whatever a request or an error has; a second time changes nothing.

    Parameters
    ----------
    document
        OpenAPI, changed in place.

    Returns
    -------
    dict
        The same document.
    """
    for operation in _operations(document):
        named = operation["operationId"]
        for parameter in operation.get("parameters", []):
            known = _OF_NAME if parameter["name"] == "name" else _OF_PARAMETER
            key = named if parameter["name"] == "name" else parameter["name"]
            if key in known:
                parameter["example"] = known[key]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if named in _OF_BODY:
                content["example"] = _OF_BODY[named]
        for code, answer in operation["responses"].items():
            if code == "4XX":
                for content in answer["content"].values():
                    content["example"] = _PROBLEM
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()
