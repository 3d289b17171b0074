"""What the sections say, against hand-computed cases and the documents themselves."""

import ast
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from support.reports import forge_documents, forge_graph

from schemas.documents.causal_graph import CLAIM
from schemas.documents.effects import ChannelReturns
from schemas.names import ComponentKind
from tasks.report import curves, lately
from tasks.report.advice import advice_section
from tasks.report.bands import stack_bands
from tasks.report.blocks import walk
from tasks.report.changes import changes_section, overlap
from tasks.report.checks import checks_section, data_section
from tasks.report.coming import accuracy_sentence
from tasks.report.decision import (
    Holds,
    budget_sentence,
    decision_sentence,
    verdict_sentence,
    what_holds,
)
from tasks.report.documents import ReportDocuments
from tasks.report.graph import graph_section
from tasks.report.happened import happened_section, last_parts
from tasks.report.head import build_head, channels_table
from tasks.report.lately import lead_channel, measure_lately, sentences
from tasks.report.look import MAX_LABEL, digits, distinct_labels, label, script_json
from tasks.report.markets import markets_section
from tasks.report.page import build_sections, render_report
from tasks.report.returns import lead_words, returns_section
from tasks.report.today import Decided, channels_today, decided_by
from tasks.report.words import DATA_AMISS, GATES


def blocks(documents: ReportDocuments, kind: str):
    return [b for s in build_sections(documents) for b in walk(s.blocks) if b.type == kind]


def edited(documents: ReportDocuments, name: str, change) -> ReportDocuments:
    """The same documents with one file changed."""
    files = {**documents.run.files, name: change(documents.run.files[name])}
    return replace(documents, run=replace(documents.run, files=files))


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
    documents = forge_documents(n_entities=3, kpi=kpi)
    for figure in [build_head(documents).shares, *blocks(documents, "figure")]:
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
            assert list(chart.data[0].y) == digits(curve["high_94"])
            assert list(chart.data[1].y) == digits(curve["low_94"])
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
    assert "sampler: tune" in reported
    assert "was REVIEW" in reported
    assert "now PASS" in reported
    table = next(b for b in walk(section.blocks) if b.type == "table")
    readings = {row[0]: row[-1] for row in table.rows}
    assert readings == {"tv": "moved: look for the reason", "search": "agrees", "radio": "agrees"}


def moved(sentence: str) -> dict:
    return {
        "channel": sentence.split(":")[0], "quantity": "roas", "before": 1.5, "after": 2.0,
        "parts": {}, "main_cause": "new_periods", "sentence": sentence,
    }  # fmt: skip


CHANGE = {
    "run_a": "run-0",
    "run_b": "run-2",
    "dataset_id": "brand",
    "facts": {"new_periods": "1 row(s), 2026-11-09"},
    "channels": [moved("tv: ROAS 1.50 to 2.00 (+0.50)."), moved("radio: no more.")],
    "notes": ["New in the model: tiktok."],
    "is_complete": True,
}


def with_change(change):
    documents = forge_documents()
    files = {**documents.run.files, "change.json": change}
    return changes_section(replace(documents, run=replace(documents.run, files=files)))


def test_each_channel_has_one_line_that_says_why_it_changed():
    _, lines, about, *_ = with_change(CHANGE).blocks
    assert lines.title == "Why returns changed since the champion"
    assert lines.sentences == [row["sentence"] for row in CHANGE["channels"]]
    assert about.paragraphs[0] == "Compared with run run-0, which was champion until then."
    assert about.paragraphs[1:] == [
        "New periods: 1 row(s), 2026-11-09.",
        "New in the model: tiktok.",
    ]


def test_a_change_without_a_cause_and_one_that_could_not_be_explained_say_so():
    assert "sampler's chance" in with_change({**CHANGE, "facts": {}}).blocks[2].paragraphs[1]
    failed = {**CHANGE, "facts": {}, "channels": [], "notes": ["It could not be explained: gone."]}
    section = with_change(failed)
    assert section.blocks[1].paragraphs[1:] == failed["notes"]


def test_channels_that_did_not_move_open_on_demand():
    still = "radio: ROAS 1.00 to 1.01 (+0.01). No more than sampling noise: new periods +0.01."
    channels = [moved("tv: ROAS 1.50 to 2.00 (+0.50)."), moved(still)]
    _, lines, folded, *_ = with_change({**CHANGE, "channels": channels}).blocks
    assert lines.sentences == ["tv: ROAS 1.50 to 2.00 (+0.50)."]
    assert folded.blocks[0].sentences == [still]


def test_a_restatement_of_any_column_is_among_what_changed():
    documents = forge_documents()
    finding = {
        "layer": "canonical", "rule": "restated_history", "verdict": "PASS", "remedy": "None.",
        "message": "brand.csv, column 'spend_tv': 3 of 120 known values change by 1.5 %.",
    }  # fmt: skip
    documents.run.files["validation_summary.json"]["layers"]["canonical"]["findings"] = [finding]
    said = "Restated: column 'spend_tv': 3 of 120 known values change by 1.5 %."
    assert said in changes_section(documents).blocks[0].sentences
    assert data_section(documents).blocks[0].rows[0][:3] == [
        "PASS", "canonical", finding["message"],
    ]  # fmt: skip


def test_the_first_refit_says_that_it_is_the_first():
    section = changes_section(forge_documents(has_previous=False))
    assert section.blocks[0].paragraphs[0].startswith("First refit")


def test_a_rejected_run_advises_nothing_even_if_a_plan_lies_there():
    documents = forge_documents(verdict="FAIL", advice="follow", champion="follow")
    head = build_head(documents)
    assert head.decision_title == "Go by the champion’s plan"
    assert "was rejected" in head.decision_sentence
    assert "brand@7 holds" in head.decision_sentence
    assert [b.type for b in advice_section(documents).blocks] == ["text"]
    assert "Do" not in [c.title for c in channels_table(documents).columns]
    assert budget_sentence(forge_documents(verdict="FAIL")) == ""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"verdict": "PASS"}, Holds.THIS),
        ({"verdict": "PASS", "champion": "follow"}, Holds.THIS),
        ({"verdict": "REVIEW", "champion": "follow"}, Holds.CHAMPION),
        ({"verdict": "FAIL", "champion": "withheld"}, Holds.CHAMPION),
        ({"verdict": "REVIEW"}, Holds.NOTHING),
        ({"verdict": "FAIL"}, Holds.NOTHING),
    ],
    ids=["accepted", "replaces", "review", "rejected", "sampled badly", "first rejected"],
)
def test_one_plan_holds_or_none(settings, expected):
    assert what_holds(forge_documents(**settings)) is expected


def test_a_first_run_that_sampled_well_holds_with_what_stands_against_it():
    def only_fit(document):
        gate = {**document["gates"][2], "gate": "durbin_watson"}
        return {**document, "gates": [*document["gates"][:2], gate, document["gates"][3]]}

    documents = edited(forge_documents(verdict="REVIEW"), "diagnostics.json", only_fit)
    assert what_holds(documents) is Holds.THIS
    assert GATES["durbin_watson"].amiss in verdict_sentence(documents)
    amiss = GATES["durbin_watson"].amiss
    against = f"Against it stands a REVIEW that nobody has accepted yet: {amiss} (and 2 more)."
    assert against in build_head(documents).decision_sentence
    assert "Against it" not in decision_sentence(forge_documents(advice="follow"))


def test_under_review_the_page_never_says_both_to_follow_and_to_keep():
    for advice in ("follow", "withheld"):
        for champion in (None, "follow", "withheld"):
            documents = forge_documents(verdict="REVIEW", advice=advice, champion=champion)
            title = build_head(documents).decision_title
            assert title in {"Go by the champion’s plan", "No decision this week"}
            assert advice_section(documents).blocks[0].title == title
            assert "Do" not in [c.title for c in channels_table(documents).columns]
            marked = [
                t for f in build_head(documents).curves.figures for t in f.chart.layout.shapes
            ]
            assert all(shape.line.color != "#009E73" for shape in marked)


def test_withheld_advice_says_so_and_plans_todays_spend():
    documents = forge_documents(advice="withheld")
    assert build_head(documents).decision_title == "Keep the mix as it is"
    table = channels_table(documents)
    assert {row[1] for row in table.rows} == {"HOLD"}
    bars = next(b for b in blocks(documents, "figure") if b.key == "plan").chart.data
    assert "found, not advised" in {bar.name for bar in bars}


def test_advice_to_follow_names_channels_money_gain_and_chance():
    reported = decision_sentence(forge_documents(advice="follow"))
    assert "more on tv (+300)" in reported
    assert "less on search (-300)" in reported
    assert "gain: 123 of sales" in reported
    assert "95 %" in reported


@pytest.mark.parametrize(
    ("ends", "expected"),
    [((0.6, 0.4, 0.8), "too high"), ((2, 1.5, 2.5), "could be higher"), ((1, 0.5, 2), "cannot")],
)
def test_the_whole_budget_is_judged_by_its_last_money(ends, expected):
    keys = ("last_money_mean", "last_money_low", "last_money_high")
    documents = edited(
        forge_documents(), "plan.json", lambda d: {**d, **dict(zip(keys, ends, strict=True))}
    )
    assert expected in budget_sentence(documents)
    assert "break-even is 1" in budget_sentence(documents)


def test_a_plan_of_before_says_nothing_of_the_whole_budget():
    documents = edited(
        forge_documents(),
        "plan.json",
        lambda d: {k: v for k, v in d.items() if "last_money" not in k},
    )
    assert budget_sentence(documents) == ""


def test_shares_of_today_add_up_and_come_from_the_last_window():
    documents = forge_documents()
    rows = channels_today(documents)
    assert sum(row.spend_share for row in rows) == pytest.approx(1)
    assert sum(row.effect_share for row in rows) == pytest.approx(1)
    window = documents.run.files["channel_effects.json"]["tv"]["windows"][-1]
    tv = next(row for row in rows if row.name == "tv")
    assert (tv.spend, tv.contribution[0]) == (window["spend"], window["contribution_mean"])


def test_there_is_one_order_of_channels():
    documents = forge_documents()
    order = [row.name for row in channels_today(documents)]
    assert order == sorted(order, key=lambda n: -channels_today_spend(documents, n))
    tables = {t.name: t for s in build_sections(documents) for t in s.tables}
    for name in ("plan", "returns_today", "contributions_lately", "returns_roas", "plan_spend"):
        assert [row[0] for row in tables[name].rows] == order, name
    assert [f.title for f in build_head(documents).curves.figures] == order


def channels_today_spend(documents, name):
    return documents.effects[name].windows[-1].spend


def test_the_last_period_adds_up_to_what_was_observed():
    names = tuple(f"channel {i}" for i in range(12))
    documents = forge_documents(channels=names)
    parts, small = last_parts(documents)
    assert sum(size for _, size in parts) == pytest.approx(documents.kpi["actual"].iloc[-1])
    caption = happened_section(documents).blocks[0].blocks[1].caption
    assert small
    assert all(name in caption for name in small)


def test_three_sentences_say_what_happened():
    said = sentences(forge_documents())
    assert len(said) == 3
    assert said[0].startswith("In the last 13 weeks, sales came to")
    assert "Media brought" in said[1]
    assert "leads" in said[2]


def test_a_lead_is_not_said_to_be_first_where_an_unclear_channel_brought_more(monkeypatch):
    documents = forge_documents()
    rows, lead = channels_today(documents), lead_channel(documents)
    more = 2 * lead.contribution[0]
    unclear = replace(
        lead, name="letters", decided=Decided.UNCLEAR, contribution=(more, 0.0, 2 * more)
    )
    monkeypatch.setattr(lately, "channels_today", lambda _documents: [*rows, unclear])
    among = f"Of channels that the data speak of, {lead.name} leads: "
    assert sentences(documents)[2].startswith(among)
    assert lead_words(documents)[0].startswith(
        f"{lead.name} brings most of channels that the data speak of. "
    )


def test_the_plan_is_dated_and_counted_in_the_words_of_the_page():
    documents = forge_documents()
    section = next(s for s in build_sections(documents) if s.key == "advice")
    first = date.fromisoformat(documents.plan.first_period)
    assert section.lead.startswith(f"For {first.day} {first:%B %Y} to ")
    cards = {card.label: card for card in section.blocks[0].cards}
    assert cards["Average loss"].note == "over all cases; a gain is none"
    assert "periods" not in cards["Budget"].note


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prior_driven": True, "evidence": "effect"}, Decided.PRIOR),
        ({"evidence": "unclear", "prior_elasticity": 0.0}, Decided.UNCLEAR),
        ({"evidence": "effect", "prior_elasticity": 0.3}, Decided.BOTH),
        ({"evidence": "effect", "prior_elasticity": 0.2}, Decided.DATA),
    ],
)
def test_decided_by_the_data_is_said_only_where_it_is(row, expected):
    assert decided_by(ChannelReturns.model_validate(row)) is expected


def test_forecasts_of_the_last_horizon_are_judged_by_hand():
    documents = forge_documents()
    scored = documents.run.files["forecast_actuals.parquet"]
    off = (scored["kpi_p50"] - scored["actual"]).abs() / scored["actual"].abs()
    said = accuracy_sentence(documents, scored)
    assert f"{100 * off.mean():.1f}" in said
    assert "3 of 4 fell" in said
    assert "not known yet" in accuracy_sentence(documents, None)


def test_money_has_its_currency_where_the_spec_names_it():
    documents = forge_documents(kpi={"currency": "EUR"})
    head = build_head(documents)
    assert "sales in EUR" in head.subtitle
    assert "123 EUR of sales" in head.decision_sentence


def test_a_count_speaks_of_cost_and_never_of_roas():
    documents = forge_documents(kpi={"name": "signups", "kind": "count"})
    section = returns_section(documents)
    keys = [b.key for b in walk(section.blocks) if b.type == "figure"]
    assert keys[0] == "returns-cost-per-unit"
    assert "returns-roas" not in keys
    assert "ROAS" not in [c.title for c in channels_table(documents).columns]
    assert "ROAS" not in section.lead


def test_a_count_with_a_value_has_both_cost_and_roas():
    documents = forge_documents(kpi={"name": "signups", "kind": "count", "value_per_unit": 2.0})
    names = [t.name for t in returns_section(documents).tables]
    assert "returns_cost_per_unit" in names
    assert "returns_roas" in names


def test_prior_driven_channels_are_hollow_and_named():
    section = returns_section(forge_documents())
    figure = next(b for b in walk(section.blocks) if b.type == "figure")
    traces = {t.name: t for t in figure.chart.data}
    assert list(traces["mostly assumptions"].y) == ["radio"]
    assert traces["mostly assumptions"].marker.symbol == "circle-open"
    panel = next(b for b in section.blocks if getattr(b, "title", "") == "Decided by assumptions")
    assert "radio" in panel.paragraphs[0]


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
    assert section.blocks[-1].paragraphs[0].endswith("3 more come with an export.")


def test_one_entity_has_no_heatmap():
    assert markets_section(forge_documents(n_entities=1)) is None
    assert markets_section(forge_documents(n_entities=2)) is not None


def test_bands_of_the_decomposition_add_up_to_the_expected_kpi():
    names = [f"c{i}" for i in range(12)]
    wide = pd.DataFrame({name: [1.0 + i, 2.0 * i] for i, name in enumerate(names)})
    wide["rival"] = [-3.0, -4.0]
    wide["baseline"] = [100.0, 90.0]
    kinds = dict.fromkeys([*names, "rival"], ComponentKind.CHANNEL)
    bands, small = stack_bands(wide, {**kinds, "baseline": ComponentKind.BASELINE}, sorted)
    assert small == ["c0", "c1", "c2", "c3", "c4"]
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


def test_a_plan_that_finds_nothing_better_says_that():
    def still(plan):
        rows = {n: {**r, "candidate": r["current"]} for n, r in plan["channels"].items()}
        return {**plan, "channels": rows, "prob_gain": 0.0}

    documents = edited(forge_documents(advice="withheld"), "plan.json", still)
    said = "Within the bounds nothing is better than the same money in today's mix."
    assert decision_sentence(documents) == said


def test_an_assumption_leads_nothing():
    def assumed(roi):
        largest = max(roi, key=lambda n: roi[n]["contribution_mean"])
        return {n: {**r, "prior_driven": n == largest} for n, r in roi.items()}

    documents = edited(forge_documents(), "roi_metrics.json", assumed)
    largest = max(documents.roi, key=lambda n: documents.roi[n].contribution_mean)
    assert not sentences(documents)[2].startswith(largest)


def test_a_verdict_on_the_budget_says_where_it_rests_on_assumptions():
    def assumed(is_driven):
        def change(roi):
            return {n: {**r, "prior_driven": is_driven} for n, r in roi.items()}

        return edited(forge_documents(), "roi_metrics.json", change)

    assert "this is assumed, so test before you act" in budget_sentence(assumed(True))
    assert "assumed" not in budget_sentence(assumed(False))


def test_a_graph_is_shown_with_all_that_may_be_said_of_it():
    documents = forge_documents()
    assert graph_section(documents) is None
    files = {**documents.run.files, "causal_graph.json": forge_graph()}
    shown = replace(documents, run=replace(documents.run, files=files))
    section = graph_section(shown)
    assert section is not None
    picture = section.blocks[0]
    assert CLAIM in picture.caption
    assert CLAIM in picture.svg
    assert "Of 3 edges that may be, 2 are in the graph" in section.lead
    assert [row[2] for row in picture.table.rows] == ["found", "found", "–"]
    assert section.blocks[-1].tone == "care"
    assert "abstains" in section.blocks[-1].paragraphs[0]
    page = render_report(shown)
    assert picture.svg in page
    assert "<script>alert(1)" not in page


def _rules_that_can_be_a_review():
    root = Path(__file__).resolve().parents[3]
    for path in (root / "tasks" / "validate").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "")
            if named in ("Finding", "panel_finding") and "Verdict.REVIEW" in ast.unparse(node):
                stated = [k.value for k in node.keywords if k.arg == "rule"] or node.args[:1]
                yield from (r.value for r in stated if isinstance(r, ast.Constant))
    for path in (root / "schemas" / "suites").glob("*.json"):
        suite = json.loads(path.read_text(encoding="utf-8"))
        yield from (
            e["meta"]["rule"] for e in suite["expectations"] if e["meta"]["verdict"] == "REVIEW"
        )


def test_every_check_of_data_that_can_ask_for_a_look_has_words_of_its_own():
    rules = set(_rules_that_can_be_a_review())
    assert {"kpi_net_of_media", "kpi_outlier"} <= rules
    assert sorted(rules - DATA_AMISS.keys()) == []
