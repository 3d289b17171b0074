"""Options and table of ``benchmarks/sampling.py``; nothing is sampled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.sampling import (
    COLUMNS,
    SETTINGS,
    add_ratios,
    choose_settings,
    parse_settings,
    render_table,
)

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "sampling.py"
FIGURES = dict.fromkeys(
    ("build", "compile", "sample", "total", "ess_bulk_min", "r_hat_max", "peak_mb", "srmse"), 1.0
) | {"n_divergences": 0, "coverage": 0.9, "settings": "4 x 1000/1000"}


def row(dataset, sampler, speed):
    return {"dataset": dataset, "sampler": sampler, "ess_per_second": speed, **FIGURES}


def test_the_last_settings_that_fit_a_cell_win():
    settings = parse_settings([*SETTINGS, "pymc=2x30/40"])
    assert choose_settings(settings, "ours", "medium")["draws"] == 1000
    assert choose_settings(settings, "nutpie", "medium")["chains"] == 2
    assert choose_settings(settings, "pymc", "medium") == {"chains": 2, "tune": 30, "draws": 40}


def test_settings_that_cannot_be_read_say_how_to_write_them():
    with pytest.raises(SystemExit, match="pymc@medium=2x500/500"):
        parse_settings(["pymc=fast"])


def test_ratios_are_taken_within_one_set():
    rows = [row("small", "ours", 50.0), row("small", "pymc", 2.0), row("medium", "ours", 5.0)]
    add_ratios(rows)
    assert [r["ratio"] for r in rows] == ["25.0", "1.0", "-"]


def test_every_line_of_the_table_is_as_long_as_its_head():
    rows = [row("small", "ours", 50.0), row("growing", "nutpie", 0.123)]
    add_ratios(rows)
    lines = render_table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert all(name in lines[0] for name in COLUMNS)


def test_without_the_sets_it_says_where_they_come_from_and_ends_well():
    environment = {k: v for k, v in os.environ.items() if k != "MMM_RECOVERY_DATA"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "20250715" in done.stdout
