"""Judge the three layers of data; every problem of a layer is reported together, none raises."""

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.documents.data import ColumnInfo, ValidationSummary
from schemas.documents.features import FeatureMetadata
from schemas.names import ENTITY_COLUMN, LINE_COLUMN, PERIOD_COLUMN, Artifact
from schemas.outcomes import Finding, Layer, worst
from schemas.refs import BatchRef, CandidateRef, FeaturesRef, StepKey, ValidationRef
from schemas.spec.roles import resolve_roles
from schemas.spec.run_spec import RunSpec
from tasks.mathematics.calendar import continue_month_ends, detect_grain
from tasks.store import gx
from tasks.store.files.artifacts import parse_document, read_document, read_parquet, write_document
from tasks.store.home import current_home
from tasks.store.inputs import keys, landing, landing_rows, text_values
from tasks.store.runs.resume import resumable
from tasks.store.warehouse import canonical, connection
from tasks.validate.altered import judge_alterations
from tasks.validate.arrivals import judge_arrivals
from tasks.validate.booked import judge_bookings
from tasks.validate.canonical import (
    canonical_frame,
    judge_candidate,
    note_unpaired,
    paired_channels,
)
from tasks.validate.coming_controls import judge_coming_controls
from tasks.validate.experiments import judge_lift_tests
from tasks.validate.features import feature_frame, judge_dependence, judge_terms, suite_columns
from tasks.validate.findings import add_layer, findings_of
from tasks.validate.header import judge_header, judge_spellings
from tasks.validate.names import judge_entities
from tasks.validate.plausible import judge_plausibility
from tasks.validate.raw import judge_mixed_dates, judge_month_ends, raw_columns
from tasks.validate.reported import judge_reporting
from tasks.validate.restated import judge_history
from tasks.validate.timing import judge_timing
from tasks.validate.units import judge_units

log = logging.getLogger(__name__)

_KEY_COLUMNS = [ENTITY_COLUMN, PERIOD_COLUMN]


@resumable
def validate_raw(key: StepKey, batch: BatchRef, spec: RunSpec) -> ValidationRef:
    """Judge a landed file: roles, dates, numbers, keys, missing values.

    Raises
    ------
    SpecError
        If the spec names columns that the file lacks.
    """
    decimal = text_values.effective_decimal(batch.source_name, spec.decimal)
    with connection.reading(current_home(), spec.dataset_id) as known:
        entities, starts = canonical.stored_keys(known, spec.dataset_id, date.max)
    with landing.opened(current_home(), batch) as con:
        header = landing.header_of(con)
        roles = resolve_roles(spec, header)
        unified = keys.unify_entities(con, roles, entities)
        reading = landing_rows.read_dates(con, roles, spec.date_format)
        days = landing_rows.distinct_days(con, roles, reading)
        reading = reading.with_month_ends(continue_month_ends(days, starts))
        rows = landing_rows.check_rows(con, roles, reading, decimal)
        missing = landing_rows.missing_rates(con, header)
    share = 1 - spec.gates.data.max_missing_share
    plain = gx.run_suite(
        rows.frame,
        gx.expand_suite(gx.read_suite(Layer.RAW), raw_columns(roles)),
        parameters={"min_present_share": share},
        index_columns=[LINE_COLUMN],
    )
    if rows.counts is not None:
        plain = gx.with_counts(plain, rows.counts, rows.n_rows)
    names = {"period": roles.period, "entity": roles.entity or ENTITY_COLUMN}
    mixed = [(s.shape, s.n_rows, s.first_line) for s in reading.mixed]
    findings = judge_mixed_dates(batch.source_name, roles.period, mixed)
    findings += judge_month_ends(batch.source_name, roles.period, reading.month_ends)
    findings += judge_header(batch.source_name, header, roles, spec)
    findings += judge_spellings(batch.source_name, roles.entity, unified)
    findings += findings_of(plain, layer=Layer.RAW, file=batch.source_name, names=names, facts={})
    facts = {
        "file": batch.source_name,
        "n_rows": batch.n_rows,
        "missing_rates": missing,
        "date_format": reading.date_format,
    }
    return _report(key.run_id, Layer.RAW, findings, facts, plain)


_PANEL_FACTS = {"grain", "level", "n_entities", "entities", "periods"}
"""What the summary repeats of the panel."""


@resumable
def validate_canonical(
    key: StepKey,
    candidate: CandidateRef,
    spec: RunSpec,
    accept_restatement: bool = False,
    is_replay: bool = False,
) -> ValidationRef:
    """Judge the panel that would be known with this batch.

    Grid, grain, length, pairing, the newest periods beside those before them, and what changes of
    history; with ``accept_restatement`` a large change is a review and holds nothing. In a replay,
    periods after the as-of date are reported and are no review.
    """
    home, gates = current_home(), spec.gates.data
    info = read_document(home, candidate.column_info, ColumnInfo)
    roles = info.roles
    panel = read_parquet(home, candidate.panel or candidate.wide)
    parameters = {
        "max_unpaired_share": gates.max_unpaired_share,
        "unpaired_share_review": gates.unpaired_share_review,
        "min_robust_z": -gates.outlier_robust_z,
        "max_robust_z": gates.outlier_robust_z,
    }
    plain = gx.run_suite(
        canonical_frame(panel, roles, candidate.grain, gates),
        gx.expand_suite(gx.read_suite(Layer.CANONICAL), {"paired_channel": paired_channels(roles)}),
        parameters=parameters,
        index_columns=_KEY_COLUMNS,
    )
    findings = judge_candidate(
        info,
        detected=detect_grain(list(panel[PERIOD_COLUMN].dt.date)),
        wanted=spec.grain,
        max_missing_share=gates.max_missing_share,
        is_replay=is_replay,
    )
    findings += judge_entities(info.entities)
    findings += judge_arrivals(info)
    findings += note_unpaired(panel, roles, gates)
    if len(panel):
        findings += judge_history(
            info.history,
            file=info.file,
            sources={(n.role, n.name): n.source for n in landing_rows.number_roles(roles)},
            grain=candidate.grain,
            newest_period=panel[PERIOD_COLUMN].max().date(),
            gates=gates,
            is_allowed=accept_restatement,
        )
    if len(panel):
        rows = panel.sort_values(list(_KEY_COLUMNS), kind="stable").reset_index(drop=True)
        findings += judge_plausibility(rows, roles, spec)
        findings += judge_bookings(rows, roles) + judge_reporting(rows, roles)
        findings += judge_units(rows, roles) + judge_alterations(rows, roles)
        findings += judge_timing(rows, roles)
    findings += findings_of(
        plain,
        layer=Layer.CANONICAL,
        file=info.file,
        names={"kpi": roles.kpi_name},
        facts=parameters,
    )
    facts = info.model_dump(mode="json", include=_PANEL_FACTS)
    return _report(
        key.run_id,
        Layer.CANONICAL,
        findings,
        {**facts, "n_panel_rows": len(panel)},
        plain,
    )


@resumable
def validate_features(key: StepKey, features: FeaturesRef, spec: RunSpec) -> ValidationRef:
    """Judge the features: finite, varying, not collinear, enough rows per parameter."""
    home, gates = current_home(), spec.gates.data
    metadata = read_document(home, features.metadata, FeatureMetadata)
    built = read_parquet(home, features.features)
    frame, partners = feature_frame(built, metadata)
    parameters = {
        "max_abs_correlation": gates.max_abs_correlation,
        "max_vif": gates.max_vif,
        "min_rows_per_parameter": gates.min_rows_per_parameter,
    }
    plain = gx.run_suite(
        frame,
        gx.expand_suite(gx.read_suite(Layer.FEATURES), suite_columns(metadata)),
        parameters=parameters,
        index_columns=_KEY_COLUMNS,
    )
    findings = judge_terms(metadata) + judge_dependence(frame, metadata)
    findings += judge_lift_tests(built, metadata)
    findings += judge_coming_controls(
        built,
        metadata,
        horizon=spec.optimizer.horizon,
        planned=[*spec.planned, *(metadata.planned or ())],
    )
    findings += findings_of(
        plain,
        layer=Layer.FEATURES,
        file=metadata.file,
        names={},
        facts={**parameters, "partners": partners},
    )
    return _report(
        key.run_id,
        Layer.FEATURES,
        findings,
        {"n_feature_rows": len(frame)},
        plain,
    )


def _report(
    run_id: str,
    layer: Layer,
    findings: list[Finding],
    facts: Mapping[str, Any],
    plain: Mapping[str, Any],
) -> ValidationRef:
    """Write one layer's outcome to the run's summary, from where it gets into the warehouse."""
    home = current_home()
    path = home.run_dir(run_id) / Artifact.VALIDATION_SUMMARY
    before = parse_document(path, ValidationSummary) if path.is_file() else None
    summary = add_layer(before, layer=layer, findings=findings, facts=facts, expectations=plain)
    write_document(home, path, summary)
    verdict = worst(f.verdict for f in findings)
    log.info("%s layer: %s, %d finding(s)", layer.value, verdict.value, len(findings))
    return ValidationRef(verdict=verdict, findings=findings)
