"""What exactly this run was: spec, snapshot, versions, fingerprints, and what columns mean."""

from collections.abc import Sequence
from typing import Any

from schemas.documents.fit import ModelMetadata
from schemas.names import Artifact
from tasks.report.blocks import Block, Code, Column, Fold, Kind, Section, Table, Text
from tasks.report.documents import ReportDocuments


def appendix_section(documents: ReportDocuments, sections: Sequence[Section]) -> Section:
    """Close the page; ``sections`` are those whose tables are explained."""
    model = documents.run.document(Artifact.MODEL_METADATA, ModelMetadata)
    blocks: list[Block] = [_facts_table(documents, model)]
    source = documents.validation.file if documents.validation else None
    if source:
        blocks.append(Text([f"Data file: {source}"], tone="quiet"))
    if model and model.versions:
        blocks.append(_pairs_table("versions", Artifact.MODEL_METADATA, model.versions))
    if documents.digests:
        columns = [
            Column("File", Kind.TEXT, "file of the run folder"),
            Column("SHA-256", Kind.LONG, "fingerprint of its bytes"),
        ]
        rows = sorted(documents.digests.items())
        table = Table("fingerprints", "files of the run", columns, rows)
        blocks.append(Fold("Fingerprints of the files", [table]))
    blocks.append(Fold("What the columns mean", [_dictionary(documents, sections)]))
    spec = documents.run.text(Artifact.RUN_SPEC)
    blocks.append(Code(f"Run spec ({Artifact.RUN_SPEC})", spec))
    if model:
        text = documents.run.text(Artifact.MODEL_METADATA)
        blocks.append(Code(f"Model ({Artifact.MODEL_METADATA})", text))
    lead = "Enough to do this run again and get the same draws."
    return Section("appendix", "Appendix", blocks, lead, is_folded=True)


def _facts_table(documents: ReportDocuments, model: ModelMetadata | None) -> Table:
    record, metadata = documents.run.record, documents.metadata
    facts: dict[str, Any] = {
        "run": record.run_id,
        "created": f"{record.created_at:%Y-%m-%d %H:%M} UTC",
        "dataset": record.dataset_id,
        "snapshot": metadata.snapshot_id if metadata else record.snapshot_id,
        "MLflow run": record.mlflow_run_id,
        "model version": record.model_version,
        "model kind": model.model_kind if model else documents.spec.model.kind,
        "sampler": (model.sampler.backend_used or None) if model else None,
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
