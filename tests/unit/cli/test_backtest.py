"""What ``mmm backtest`` prints: every table of a small report, and what scores cannot say."""

from datetime import date

from flows.cli.render.backtests import render_backtest
from schemas.answers.backtest import (
    CAUTION,
    AdviceScore,
    BacktestReport,
    CandidateScore,
    InformationScore,
    SliceReturn,
    SliceScore,
)
from tasks.forecast.backtest import describe_limits, summarize_candidate

SCORES = {"n_scored": 4, "crps": 12.0, "mape": 0.05, "coverage_50": 0.5, "coverage_90": 1.0,
          "skill": 0.25}  # fmt: skip
KNOWN = InformationScore(
    n=100, elpd_loo=-3.5, p_loo=9.0, n_bad_k=2, elpd_waic=-3.25, n_bad_variance=1
)


def made(week: int, **facts) -> SliceScore:
    return SliceScore.model_validate(
        {
            "candidate": "a/mmm", "origin": date(2026, 1, week), "as_of": date(2026, 1, week + 7),
            "as_known": True, "n_fitted": 100, "r_hat_max": 1.01, "seconds": 2.0, **SCORES,
            "information": KNOWN, "advice": AdviceScore(follow=True, gain=-0.01, regret=0.03),
            "returns": {"tv": SliceReturn(quantity="roas", median=week, low_90=0, high_90=9)},
            **facts,
        }
    )  # fmt: skip


def summarized(slices, **facts) -> CandidateScore:
    whole = summarize_candidate("a/mmm", "mmm", slices, {})
    return whole.model_copy(update={"n_slices": len(slices), **SCORES, **facts})


def report(slices, **facts) -> BacktestReport:
    known = {"elpd_loo": -3.5, "elpd_waic": -3.25, "bad_k": 0.02, "n_advised": 2, "n_followed": 2,
             "n_losing": 2, "regret": 0.03}  # fmt: skip
    return BacktestReport(
        dataset_id="demo", kpi_name="sales", horizon=4, step=5, workers=2, seconds=3.5,
        candidates=[summarized(slices, **{**known, **facts})], slices=slices,
        notes=describe_limits(slices), mlflow_run_id=None,
    )  # fmt: skip


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_every_table_stands_there_with_what_scores_cannot_say():
    lines = squeezed(render_backtest(report([made(5), made(10)])))
    assert lines[0] == ("demo, sales: 4 periods after each date, 5 periods apart; 2 at once, 3.5 s")
    assert "a/mmm 2 4 12 5.0 % 50.0 % 100 % 0.25 4" in lines
    assert "a/mmm -3.500 -3.250 2.0 %" in lines
    assert "a/mmm 2 2 2 3.0 %" in lines
    assert "tv 47.1 %" in lines
    assert "2026-01-05 a/mmm yes 12 5.0 % 100 % 1.01 2" in lines
    notes = [line for line in lines if line.startswith("- ")]
    assert "Pareto k is above 0.7 for 4 of 200 fitted values" in notes[0]
    assert "WAIC is off for 2 of 200 fitted values" in notes[1]
    assert lines[-1] == CAUTION


def test_what_does_not_apply_has_no_table():
    slices = [made(5, information=None, advice=None)]
    nothing = {"elpd_loo": None, "elpd_waic": None, "n_advised": 0, "regret": None}
    text = render_backtest(report(slices, **nothing))
    assert "PSIS-LOO" not in text
    assert "regret" not in text
    assert "Pareto" not in text
