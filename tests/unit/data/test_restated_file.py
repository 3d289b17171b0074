"""A file that changes history: reported, reviewed, or held until a person accepts it."""

from datetime import date

import pytest

from schemas.documents.restatements import RESTATED_RULE, is_quarantined
from schemas.outcomes import Verdict
from tasks.canonicalize.task import canonicalize_batch, refuse_batch, take_snapshot
from tasks.store.home import current_home
from tasks.store.warehouse.canonical import PanelColumn, read_panel
from tasks.store.warehouse.connection import reading
from tasks.validate.task import validate_canonical

SALES = [PanelColumn("kpi", "sales", "sales")]
JANUARY, MARCH, MAY = date(2025, 1, 1), date(2025, 3, 1), date(2025, 5, 1)
TABLES = ("canonical.kpi", "canonical.media", "canonical.controls", "canonical.restated")


def restate(lines, factor, rows):
    """Multiply the KPI of the first ``rows`` weeks."""
    cells = [line.split(",") for line in lines]
    for row in cells[1 : rows + 1]:
        row[2] = str(round(float(row[2]) * factor))
    return [",".join(row) for row in cells]


def canonical():
    with reading(current_home(), "shop") as con:
        return [con.execute(f"select * from {t} order by all").fetchall() for t in TABLES]


def decisions():
    with reading(current_home(), "shop") as con:
        return con.execute(
            "select decision, known_from, role, name, n_values, first_period, last_period "
            "from ops.restatements order by known_from, decision, role"
        ).fetchall()


class Refit:
    """The data half of a refit: judge, then accept or refuse."""

    def __init__(self, world):
        self.world = world

    def __call__(self, content, as_of, **options):
        batch = None if content is None else self.world.ingest(content)
        key, spec = self.world.key, self.world.spec
        candidate = canonicalize_batch.fn(key, batch, spec, as_of)
        checked = validate_canonical.fn(key, candidate, spec, **options)
        reported = [f for f in checked.findings if f.rule == RESTATED_RULE]
        if checked.verdict is Verdict.FAIL:
            refuse_batch.fn(batch, candidate if is_quarantined(checked.findings) else None)
            return reported, None
        return reported, take_snapshot.fn(key, candidate, spec, as_of)


@pytest.fixture
def refit(world):
    return Refit(world)


def test_a_small_change_is_reported_and_accepted(refit, lines):
    refit(lines(), JANUARY)
    reported, snapshot = refit(restate(lines(), 1.1, 5), MARCH)
    (finding,) = reported
    assert (finding.verdict, finding.column, finding.n_affected) == (Verdict.PASS, "sales", 5)
    assert "5 of 60 known values change in 1 entity, by 0.8" in finding.message
    assert "from 2023-01-02 to 2023-01-30, the oldest 59 weeks before" in finding.message
    assert snapshot.n_restated == 5
    assert decisions() == [
        ("accepted", MARCH, "kpi", "sales", 5, date(2023, 1, 2), date(2023, 1, 30))
    ]


def test_a_larger_change_is_a_review_that_a_second_try_does_not_lose(refit, lines):
    refit(lines(), JANUARY)
    changed = restate(lines(), 1.5, 10)
    for content, day in ((changed, MARCH), (changed, MARCH), (None, MARCH), (None, MAY)):
        (finding,), _ = refit(content, day)
        assert finding.verdict is Verdict.REVIEW
    assert "Accepted on 2025-03-01" in finding.message
    assert len(decisions()) == 1


def test_the_week_after_starts_clean(refit, lines):
    refit(lines(), JANUARY)
    refit(restate(lines(), 1.5, 10), MARCH)
    reported, snapshot = refit(restate(lines(61), 1.5, 10), MAY)
    assert reported == []
    assert snapshot is not None


def test_a_change_above_the_limit_is_held_and_changes_nothing(refit, lines):
    refit(lines(), JANUARY)
    before = canonical()
    for _ in range(2):
        reported, snapshot = refit(restate(lines(), 2, 60), MARCH)
        assert snapshot is None
        assert canonical() == before
    (finding,) = reported
    assert finding.verdict is Verdict.FAIL
    assert finding.message.startswith("panel.csv, column 'sales': 60 of 60 known values change")
    assert "100 % of the column's sum".replace(" %", "\N{NO-BREAK SPACE}%") in finding.message
    assert "--accept-restatement" in finding.remedy
    assert "gates.data.restated_share_review" in finding.remedy
    assert [(d[0], d[4]) for d in decisions()] == [("held", 60)]
    with reading(current_home(), "shop") as con:
        statuses = con.execute("select status from ops.batches order by received_at").fetchall()
    assert statuses == [("ACCEPTED",), ("REFUSED",)]


def test_a_person_accepts_what_was_held_and_the_past_stays_readable(refit, lines):
    _, then = refit(lines(), JANUARY)
    changed = restate(lines(), 2, 60)
    refit(changed, MARCH)
    (finding,), now = refit(changed, MARCH, accept_restatement=True)
    assert finding.verdict is Verdict.REVIEW
    assert "Accepted with accept_restatement" in finding.message
    assert [(d[0], d[4]) for d in decisions()] == [("accepted", 60), ("held", 60)]
    assert now.snapshot_id != then.snapshot_id
    assert refit(None, JANUARY)[1].snapshot_id == then.snapshot_id
    with reading(current_home(), "shop") as con:
        past = read_panel(con, dataset_id="shop", as_of=JANUARY, wanted=SALES, staged=False)
    assert past["sales"].max() < 1300


def test_a_higher_limit_in_the_spec_accepts_too(world, lines):
    Refit(world)(lines(), JANUARY)
    lenient = world.with_spec(gates={"data": {"restated_share_review": 1.0}})
    (finding,), snapshot = Refit(lenient)(restate(lines(), 2, 60), MARCH)
    assert finding.verdict is Verdict.REVIEW
    assert snapshot is not None


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text,
        lambda text: [",".join(reversed(line.split(","))) for line in text],
        lambda text: [text[0], *(f"{line}.000" for line in text[1:])],
    ],
    ids=["the same bytes", "other column order", "other number format"],
)
def test_the_same_content_is_no_restatement(refit, lines, rewrite):
    refit(lines(), JANUARY)
    reported, snapshot = refit(rewrite(lines()), MARCH)
    assert (reported, snapshot.n_restated, decisions()) == ([], 0, [])


def test_weeks_that_a_file_leaves_out_are_reported_and_stay(world, refit, lines):
    refit(lines(), JANUARY)
    whole = lines()
    checked = world.canonical([*whole[:30], *whole[33:]], MARCH)
    (finding,) = [f for f in checked.findings if f.rule == "vanished_history"]
    assert (finding.verdict, finding.n_affected) == (Verdict.REVIEW, 3)
    assert "They stay as they are known" in finding.message


def test_a_refit_that_is_killed_after_it_accepted_records_nothing_twice(world, refit, lines):
    refit(lines(), JANUARY)
    batch = world.ingest(restate(lines(), 1.5, 10))
    candidate = canonicalize_batch.fn(world.key, batch, world.spec, MARCH)
    take_snapshot.fn(world.key, candidate, world.spec, MARCH)
    before = decisions(), canonical()
    take_snapshot.fn(world.key, candidate, world.spec, MARCH)
    assert (decisions(), canonical()) == before
