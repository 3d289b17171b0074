"""The page as a whole: the sentences of ``page.md`` with the tables put in."""

from pathlib import Path

from schemas.reference.documents import list_files, render_answers, render_columns, render_documents
from schemas.reference.run_spec import render_run_spec
from schemas.reference.warehouse import render_warehouse

_HERE = Path(__file__).parent
_DDL = _HERE.parent / "sql" / "warehouse.sql"


def build_page() -> str:
    """Return ``schemas/README.md`` as the models of today give it."""
    parts = {
        "run spec": render_run_spec(),
        "files of a run": list_files(),
        "documents": render_documents(),
        "columns": render_columns(),
        "answers": render_answers(),
        "warehouse": render_warehouse(_DDL.read_text(encoding="utf-8")),
    }
    page = (_HERE / "page.md").read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace(f"{{{{{name}}}}}", text)
    return page
