"""What the sections say, against hand-computed cases and the documents themselves."""

from dataclasses import replace

import pandas as pd
import pytest
from support.reports import forge_documents

from schemas.names import ComponentKind
from tasks.report import curves
from tasks.report.advice import advice_section, advice_sentence
from tasks.report.changes import changes_section, overlap
from tasks.report.checks import checks_section, data_section
from tasks.report.documents import ReportDocuments
from tasks.report.happened import measure_lately
from tasks.report.look import MAX_LABEL, digits, distinct_labels, label, script_json
from tasks.report.markets import markets_section
from tasks.report.page import build_head, build_sections, channels_table
from tasks.report.planned import plan_section
from tasks.report.returns import returns_section
from tasks.report.split import stack_bands


def blocks(documents: ReportDocuments, kind: str):
    return [b for s in build_sections(documents) for b in s.blocks if b.type == kind]


def plotted(chart) -> list[float]:
    """Numbers that a picture shows; those of a difference or a position are left out."""
    found = []
    for trace in chart.data:
        values = trace.z if trace.type == "heatmap" else [[*(trace.x or ()), *(trace.y or ())]]
        found += [v for row in values for v in row if isinstance(v, int | float)]
    return found


@pytest.mark.parametrize(
    "kpi", [{}, {"kind": "count", "value_per_unit": 2.0}], ids=["money", "count"]
)
def test_every_plotted_number_stands_in_the_table_under_its_figure(kpi):
    figures = blocks(forge_documents(n_entities=3, kpi=kpi), "figure")
    for figure in figures:
        known = {0.0}
        for row in figure.table.rows:
            known |= set(digits(v for v in row if isinstance(v, int | float)))
        assert plotted(figure.chart), figure.key
        assert set(plotted(figure.chart)) <= known, figure.key


def test_every_point_of_a_curve_stands_in_the_file():
    documents = forge_documents(n_entities=3)
    published = documents.run.files["response_curves.json"]
    grid = blocks(documents, "grid")[0]
    for figure in grid.figures:
        own = published[figure.title]
        for chart, curve in [
            (figure.chart, own),
            *((chart, own["entities"][e]) for e, chart in figure.by_choice.items()),
        ]:
            assert list(chart.data[0].y) == digits(curve["high_90"])
            assert list(chart.data[1].y) == digits(curve["low_90"])
            assert list(chart.data[2].y) == digits(curve["median"])
        assert set(figure.by_choice) == {"market_0", "market_1", "market_2"}


def test_hand_computed_sums_of_the_last_periods_and_a_year_before():
    documents = forge_documents(n_entities=2, n_periods=70)
    actual = documents.run.files["fitted.parquet"].groupby("period_start")["actual"].sum()
    found = measure_lately(documents, 13)
    assert found.total == pytest.approx(actual.iloc[57:70].sum())
    assert found.year_before == pytest.approx(actual.iloc[5:18].sum())
    media = documents.run.files["contributions.parquet"].query("kind == 'channel'")
    last = media[media["period_start"] >= actual.index[57]]
    assert found.media == pytest.approx(last["contribution_mean"].sum())


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [
        ((0.0, 2.0), (1.0, 5.0), 0.5),
        ((0.0, 1.0), (2.0, 3.0), 0.0),
        ((1.0, 2.0), (0.0, 10.0), 1.0),
        ((1.0, 1.0), (0.0, 2.0), 1.0),
    ],
    ids=["half of the narrower", "apart", "inside", "a point inside"],
)
def test_overlap_of_two_intervals(now, then, expected):
    assert overlap(now, then) == pytest.approx(expected)
    assert overlap(then, now) == pytest.approx(expected)


def test_what_changed_names_data_spec_verdict_and_the_channel_that_moved():
    section = changes_section(forge_documents())
    reported = " ".join(section.blocks[0].sentences)
    assert "1 week of new data" in reported
    assert "restated: 1" in reported
    assert "sampler.tune" in reported
    assert "was REVIEW" in reported
    assert "now PASS" in reported
    readings = {row[0]: row[-1] for row in section.blocks[1].rows}
    assert readings == {"tv": "moved: look for the reason", "search": "agrees", "radio": "agrees"}


CHANGE = {
    "run_a": "run-0",
    "facts": {"new_periods": "1 row(s), 2026-11-09"},
    "channels": [{"sentence": "tv: ROAS 1.50 to 2.00 (+0.50)."}, {"sentence": "radio: no more."}],
    "notes": ["New in the model: tiktok."],
}


def with_change(change):
    documents = forge_documents()
    files = {**documents.run.files, "change.json": change}
    return changes_section(replace(documents, run=replace(documents.run, files=files)))


def test_each_channel_has_one_line_that_says_why_it_changed():
    *_, lines, about = with_change(CHANGE).blocks
    assert lines.title == "Why returns changed since the champion"
    assert lines.sentences == [row["sentence"] for row in CHANGE["channels"]]
    assert about.paragraphs[0] == "Compared with run run-0, which was champion until then."
    assert about.paragraphs[1:] == [
        "New periods: 1 row(s), 2026-11-09.",
        "New in the model: tiktok.",
    ]


def test_a_change_without_a_cause_and_one_that_could_not_be_explained_say_so():
    assert "sampler's chance" in with_change({**CHANGE, "facts": {}}).blocks[-1].paragraphs[1]
    failed = {**CHANGE, "facts": {}, "channels": [], "notes": ["It could not be explained: gone."]}
    section = with_change(failed)
    assert section.blocks[-1].paragraphs[1:] == failed["notes"]
    assert len(section.blocks) == 3


def test_a_restatement_of_any_column_is_among_what_changed():
    documents = forge_documents()
    finding = {
        "layer": "canonical", "rule": "restated_history", "verdict": "PASS", "remedy": "None.",
        "message": "brand.csv, column 'spend_tv': 3 of 120 known values change by 1.5 %.",
    }  # fmt: skip
    documents.run.files["validation_summary.json"]["layers"]["canonical"]["findings"] = [finding]
    assert f"Restated: {finding['message']}" in changes_section(documents).blocks[0].sentences
    assert data_section(documents).blocks[0].rows[0][:3] == [
        "PASS", "canonical", finding["message"],
    ]  # fmt: skip


def test_the_first_refit_says_that_it_is_the_first():
    section = changes_section(forge_documents(has_previous=False))
    assert section.blocks[0].paragraphs[0].startswith("First refit")


def test_a_rejected_run_advises_nothing_even_if_a_plan_lies_there():
    documents = forge_documents(verdict="FAIL", advice="follow")
    assert "advises nothing" in advice_sentence(documents)
    assert "run-1; its plan still holds" in advice_sentence(documents)
    assert plan_section(documents) is None
    assert [b.type for b in advice_section(documents).blocks] == ["text"]
    assert "Do" not in [c.title for c in channels_table(documents).columns]
    assert "an earlier champion and its plan still hold" in build_head(documents).verdict_sentence


def test_withheld_advice_says_so_and_plans_todays_spend():
    documents = forge_documents(advice="withheld")
    head = build_head(documents)
    assert head.advice_title == "Keep spending as today"
    assert head.advice_sentence == documents.plan.reason
    table = channels_table(documents)
    assert {row[1] for row in table.rows} == {"HOLD"}
    assert all(row[2] == row[3] for row in table.rows)
    bars = plan_section(documents).blocks[0].chart.data
    assert "found, not advised" in {bar.name for bar in bars}


def test_advice_to_follow_names_channels_gain_and_probability():
    reported = advice_sentence(forge_documents(advice="follow"))
    assert "more on tv, and less on search" in reported
    assert "gain 123 of sales" in reported
    assert "95 %" in reported


def test_a_count_speaks_of_cost_and_never_of_roas():
    documents = forge_documents(kpi={"name": "signups", "kind": "count"})
    section = returns_section(documents)
    assert section.title == "Cost per signups by channel"
    assert [b.key for b in section.blocks if b.type == "figure"] == ["returns-cost-per-unit"]
    assert "ROAS" not in [c.title for c in channels_table(documents).columns]
    assert "ROAS" not in section.lead


def test_a_count_with_a_value_has_both_cost_and_roas():
    documents = forge_documents(kpi={"name": "signups", "kind": "count", "value_per_unit": 2.0})
    keys = [b.key for b in returns_section(documents).blocks if b.type == "figure"]
    assert keys == ["returns-cost-per-unit", "returns-roas"]


def test_prior_driven_channels_are_hollow_and_named():
    section = returns_section(forge_documents())
    traces = {t.name: t for t in section.blocks[0].chart.data}
    assert list(traces["mostly assumed"].y) == ["radio"]
    assert traces["mostly assumed"].marker.symbol == "circle-open"
    assert "radio" in section.blocks[1].paragraphs[0]


def test_gates_come_worst_first_and_what_was_not_evaluated_is_no_pass():
    section = checks_section(forge_documents(verdict="FAIL"))
    table = next(b for b in section.blocks if b.type == "table")
    assert [row[0] for row in table.rows] == ["FAIL", "NOT_EVALUATED", "PASS", "PASS"]
    assert section.lead == "2 of 4 checks of the fit passed."
    unknown = table.rows[1]
    assert unknown[1] == "Is brand new gate within its limit?"
    assert unknown[2] == "not computed"


def test_data_findings_come_with_their_remedy():
    table = data_section(forge_documents()).blocks[0]
    assert table.rows[0][:2] == ["REVIEW", "canonical"]
    assert "Check it." in table.rows[0]


def test_a_kind_without_curves_says_why():
    section = curves.curves_section(forge_documents(leave_out=("response_curves.json",)))
    assert "no curve of one channel alone" in section.blocks[0].paragraphs[0]


def test_curves_of_too_many_entities_are_left_out_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(curves, "MAX_CURVES", 6)
    section = curves.curves_section(forge_documents(n_entities=5))
    grid = section.blocks[0]
    assert list(grid.choices) == ["All together", "market_4", "market_3"]
    assert all(set(f.by_choice) == {"market_4", "market_3"} for f in grid.figures)
    assert section.blocks[-1].paragraphs[0].endswith("3 more are in response_curves.json.")


def test_one_entity_has_no_heatmap():
    assert markets_section(forge_documents(n_entities=1)) is None
    assert markets_section(forge_documents(n_entities=2)) is not None


def test_bands_of_the_decomposition_add_up_to_the_expected_kpi():
    names = [f"c{i}" for i in range(12)]
    wide = pd.DataFrame({name: [1.0 + i, 2.0 * i] for i, name in enumerate(names)})
    wide["rival"] = [-3.0, -4.0]
    wide["baseline"] = [100.0, 90.0]
    kinds = dict.fromkeys([*names, "rival"], ComponentKind.CHANNEL)
    bands = stack_bands(wide, {**kinds, "baseline": ComponentKind.BASELINE})
    pd.testing.assert_series_equal(bands.sum(axis=1), wide.sum(axis=1))
    assert list(bands["everything else"]) == [97.0, 86.0]
    assert bands.columns[-1] == "5 smaller channels"
    assert (bands >= 0).all(axis=None)


def test_forecasts_that_missed_are_counted():
    figure = next(b for b in blocks(forge_documents(), "figure") if b.key == "scored")
    assert figure.caption.startswith("3 of 4 actual values")
    outside = next(t for t in figure.chart.data if t.name == "actual, outside")
    assert len(outside.x) == 1


def test_labels_are_short_distinct_and_without_power():
    assert label("a\x00b\n c") == "a b c"
    assert label("<b>&") == "&lt;b&gt;&amp;"
    long = "x" * 60
    assert len(label(long)) == MAX_LABEL
    assert len(set(distinct_labels([f"{long}1", f"{long}2", long]))) == 3
    assert distinct_labels(["Out of home and cinema"], lines=2) == ["Out of home<br>and cinema"]


def test_json_inside_a_script_cannot_end_it():
    assert script_json('"</script><!--&"') == '"\\u003c/script\\u003e\\u003c!--\\u0026"'
