"""``mmm init`` on files as vendors shape them: its spec can be read and passes the gates."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from flows.check_data import check_data
from flows.cli.app import app
from schemas.outcomes import Verdict
from schemas.spec.roles import resolve_roles
from tasks.store.inputs.spec_file import read_run_spec

N = 110
WEEKS = pd.date_range("2022-01-03", periods=N, freq="7D")
RNG = np.random.default_rng(4)


def money(mean=5000.0):
    return RNG.gamma(4, mean / 4, N).round(2)


def one_series():
    tv, search = money(), money(2000)
    events = np.where(np.arange(N) == 20, "fair", "na")
    return pd.DataFrame({
        "DATE": WEEKS.strftime("%Y-%m-%d"), "revenue": (90_000 + tv + 2 * search + money(4000)),
        "tv_S": tv, "search_clicks_P": (search * RNG.uniform(2, 3, N)).round(), "search_S": search,
        "newsletter": money(300), "competitor_sales_B": money(9000), "events": events,
    })  # fmt: skip


def markets():
    frames = []
    for name in ("Geo0", "Geo1"):
        cost = money()
        frames.append(pd.DataFrame({
            "geo": name, "time": WEEKS.strftime("%Y-%m-%d"),
            "Channel0_impression": (cost * RNG.uniform(90, 110, N)).round(), "Channel0_spend": cost,
            "Organic_channel0_impression": money(), "sentiment_score_control": RNG.normal(0, 1, N),
            "conversions": 9e5 + 20 * cost + money(), "revenue_per_conversion": 0.02 + RNG.uniform(
                0, 0.001, N), "population": 1000.0 if name == "Geo0" else 2000.0,
        }))  # fmt: skip
    return pd.concat(frames)


def numbered():
    x1, x2 = money(), money()
    return pd.DataFrame({
        "date_week": WEEKS.strftime("%m/%d/%Y"), "y": 90_000 + x1 + x2 + money(4000), "x1": x1,
        "x2": x2, "event_1": (np.arange(N) == 9) * 1.0, "dayofyear": WEEKS.day_of_year,
        "t": np.arange(N),
    })  # fmt: skip


def german():
    frames = []
    for name in ("Nord", "Süd"):
        tv = money()
        frames.append(pd.DataFrame({
            "Woche": WEEKS.strftime("%d.%m.%Y"), "Region": name,
            "Umsatz": 50_000 + tv + money(3000), "TV Kosten": tv,
            "TV GRPs": (tv * RNG.uniform(0.05, 0.06, N)).round(1),
            "Preis": 9 + RNG.uniform(0, 1, N),
        }))  # fmt: skip
    return pd.concat(frames)


SHAPES = {
    "series.csv": (one_series, {}),
    "national.csv": (lambda: markets().query("geo == 'Geo0'").drop(columns="geo"), {}),
    "panel.csv": (markets, {}),
    "numbered.csv": (numbered, {}),
    "german.csv": (german, {"sep": ";", "decimal": ","}),
}


def write(folder, name):
    make, how = SHAPES[name]
    path = folder / name
    make().to_csv(path, index=False, **how)
    return path


def init(*args):
    return CliRunner().invoke(app, ["init", *map(str, args)])


@pytest.mark.parametrize("name", SHAPES)
def test_the_spec_of_a_vendor_s_file_is_read_and_passes_the_gates(tmp_path, name):
    data = write(tmp_path, name)
    result = init("--data", data, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout.splitlines()[-1])
    spec = read_run_spec(tmp_path / f"{data.stem}.yaml")
    resolve_roles(spec, list(pd.read_csv(data, nrows=0, **SHAPES[name][1]).columns))
    checked = check_data(spec, str(data))
    assert checked.verdict is not Verdict.FAIL, checked.findings
    assert spec.data == data.name
    assert answer["dataset_id"] == data.stem
    assert all(line["reason"] for line in answer["guessed"])


def test_events_of_a_text_column_are_written_with_their_days(tmp_path):
    init("--data", write(tmp_path, "series.csv"))
    events = read_run_spec(tmp_path / "series.yaml").model.events
    assert [(e.name, len(e.days), e.days[0]) for e in events] == [("fair", 7, WEEKS[20].date())]


def test_a_parquet_file_is_looked_at_too(tmp_path):
    one_series().assign(DATE=WEEKS).to_parquet(tmp_path / "p.parquet", index=False)
    assert init("--data", tmp_path / "p.parquet").exit_code == 0
    assert read_run_spec(tmp_path / "p.yaml").columns == {"period_start": "DATE"}


def test_a_spec_that_is_there_is_never_lost(tmp_path):
    data = write(tmp_path, "series.csv")
    mine = tmp_path / "series.yaml"
    mine.write_text("mine", "utf-8")
    result = init("--data", data)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert mine.read_text("utf-8") == "mine"
    assert init("--data", data, "--force").exit_code == 0
    assert mine.read_text("utf-8") != "mine"
    assert sorted(p.name for p in tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("out", "says"), [("nowhere/spec.yaml", "there is no folder"), (".", "is there already")]
)
def test_a_place_that_cannot_be_written_is_one_line(tmp_path, out, says):
    result = init("--data", write(tmp_path, "series.csv"), "--out", tmp_path / out)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len([line for line in result.stderr.splitlines() if line.startswith("mmm:")]) == 1


def test_a_name_of_a_column_cannot_write_keys_into_the_spec(tmp_path):
    frame = one_series().rename(
        columns={"newsletter": 'newsletter "\n  evil: [#', "tv_S": "a: {tv_S"}
    )
    frame.to_csv(tmp_path / "hostile.csv", index=False)
    result = init("--data", tmp_path / "hostile.csv")
    assert result.exit_code == 0, result.output
    spec = read_run_spec(tmp_path / "hostile.yaml")
    assert 'newsletter "\n  evil: [#' in {c.activity for c in spec.channels}
    assert "\n  evil" not in result.stdout


@pytest.mark.parametrize("data", ["panel.csv", None])
def test_a_refit_without_a_spec_points_to_init(tmp_path, data):
    args = ["--data", str(tmp_path / data)] if data else []
    result = CliRunner().invoke(app, ["refit", *args])
    assert result.exit_code == 2
    assert "mmm init --data" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_validate_takes_the_data_of_the_spec(tmp_path):
    init("--data", write(tmp_path, "series.csv"))
    runner = CliRunner()
    assert runner.invoke(app, ["validate", "--spec", str(tmp_path / "series.yaml")]).exit_code == 0
    without = runner.invoke(app, ["validate"])
    assert without.exit_code == 2
    assert "give --data FILE" in without.stderr


@pytest.mark.parametrize("written", ["${:,.2f}", "{:,.0f} €", "EUR {:.2f}", "{:.1f}k", "{:.0f}%"])
def test_money_as_a_report_shows_it_is_refused_not_left_out(tmp_path, written):
    frame = one_series()
    frame["tv_S"] = [written.format(value) for value in frame["tv_S"]]
    frame.to_csv(tmp_path / "report.csv", index=False)
    result = init("--data", tmp_path / "report.csv")
    assert result.exit_code == 2
    assert "'tv_S'" in result.stderr
    assert "write them as 80000.00" in result.stderr
    assert not (tmp_path / "report.yaml").exists()


@pytest.mark.parametrize("word", ["-", "n/a", "none yet\n  evil: [#"])
def test_cells_that_are_no_number_are_named_by_the_check_and_can_be_filled_in(tmp_path, word):
    frame = one_series().astype({"tv_S": object})
    frame.loc[::7, "tv_S"] = word
    data, spec = tmp_path / "gaps.csv", tmp_path / "gaps.yaml"
    frame.to_csv(data, index=False)
    assert init("--data", data).exit_code == 0
    faults = [f for f in check_data(read_run_spec(spec), str(data)).findings
              if f.rule == "not_a_number"]  # fmt: skip
    assert [(f.column, f.n_affected) for f in faults] == [("tv_S", len(frame.loc[::7]))]
    frame.loc[::7, "tv_S"] = 0.0
    frame.to_csv(data, index=False)
    assert check_data(read_run_spec(spec), str(data)).verdict is not Verdict.FAIL
