"""What exactly this run was: spec, snapshot, versions, fingerprints, and what columns mean."""

import json
from collections.abc import Sequence
from typing import Any

from schemas.names import Artifact
from tasks.report.blocks import Block, Code, Column, Fold, Kind, Section, Table, Text
from tasks.report.documents import ReportDocuments


def appendix_section(documents: ReportDocuments, sections: Sequence[Section]) -> Section:
    """Close the page; ``sections`` are those whose tables are explained."""
    blocks: list[Block] = [_facts_table(documents)]
    source = documents.run.json(Artifact.VALIDATION_SUMMARY).get("file")
    if source:
        blocks.append(Text([f"Data file: {source}"], tone="quiet"))
    model = documents.run.json(Artifact.MODEL_METADATA)
    if model.get("versions"):
        blocks.append(_pairs_table("versions", Artifact.MODEL_METADATA, model["versions"]))
    if documents.digests:
        columns = [
            Column("File", Kind.TEXT, "file of the run folder"),
            Column("SHA-256", Kind.LONG, "fingerprint of its bytes"),
        ]
        rows = sorted(documents.digests.items())
        table = Table("fingerprints", "files of the run", columns, rows)
        blocks.append(Fold("Fingerprints of the files", [table]))
    blocks.append(Fold("What the columns mean", [_dictionary(documents, sections)]))
    spec = json.dumps(documents.run.json(Artifact.RUN_SPEC), indent=2, ensure_ascii=False)
    blocks.append(Code(f"Run spec ({Artifact.RUN_SPEC})", spec))
    if model:
        text = json.dumps(model, indent=2, ensure_ascii=False)
        blocks.append(Code(f"Model ({Artifact.MODEL_METADATA})", text))
    lead = "Enough to do this run again and get the same draws."
    return Section("appendix", "Appendix", blocks, lead, is_folded=True)


def _facts_table(documents: ReportDocuments) -> Table:
    record, metadata = documents.run.record, documents.metadata
    model = documents.run.json(Artifact.MODEL_METADATA)
    facts: dict[str, Any] = {
        "run": record.run_id,
        "created": f"{record.created_at:%Y-%m-%d %H:%M} UTC",
        "dataset": record.dataset_id,
        "snapshot": metadata.snapshot_id if metadata else record.snapshot_id,
        "MLflow run": record.mlflow_run_id,
        "model version": record.model_version,
        "model kind": model.get("model_kind") or documents.spec.model.kind,
        "sampler": (model.get("sampler") or {}).get("backend_used"),
        "grain": documents.grain.value,
        "entities": len(documents.entities) or None,
        "fitted from": metadata and metadata.estimation_start,
        "fitted to": metadata and metadata.estimation_end,
        "fitted periods": metadata and metadata.n_estimation_periods,
        "parameters": metadata and metadata.n_parameters,
        "random seed": documents.spec.sampler.random_seed,
    }
    known = {name: value for name, value in facts.items() if value is not None}
    return _pairs_table("run", f"{Artifact.RUN_STATUS}, {Artifact.FEATURE_METADATA}", known)


def _pairs_table(name: str, source: str, pairs: dict[str, Any]) -> Table:
    columns = [Column("What", Kind.TEXT, "name"), Column("Value", Kind.LONG, "value")]
    return Table(name, source, columns, [[key, str(value)] for key, value in pairs.items()])


def _dictionary(documents: ReportDocuments, sections: Sequence[Section]) -> Table:
    columns = [
        Column("Table", Kind.TEXT, "table of this page"),
        Column("File", Kind.TEXT, "where its numbers are from"),
        Column("Column", Kind.TEXT, "heading"),
        Column("Unit", Kind.TEXT, "unit of its numbers"),
        Column("Meaning", Kind.LONG, "what it says"),
    ]
    rows = [
        [table.name, table.source, column.title, column.unit or "–", column.meaning]
        for section in sections
        for table in section.tables
        for column in table.columns
    ]
    currency = documents.spec.kpi.currency or "the currency of the data file"
    note = f"Money is in {currency}."
    return Table("dictionary", "this page", columns, rows, note)
