"""Curves that somebody wrote down bring what they brought; what is missing is refused by name."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import SpecError
from schemas.spec.known_truth import KnownChannel, KnownTruth
from tasks.recover.known_truth import bring, require_known

DEMO = Path(__file__).resolve().parents[3] / "data" / "demo"


def rows(name):
    with (DEMO / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_demos_truth_brings_what_its_generator_wrote_per_week():
    truth = KnownTruth.model_validate(json.loads((DEMO / "truth.json").read_text("utf-8")))
    panel, written = rows("panel.csv"), rows("truth.csv")
    for name, channel in truth.channels.items():
        media = np.array([[float(row[f"act_{name}"]) for row in panel]])
        by_week = [float(r["contribution"]) for r in written if r["component"] == name]
        found = bring(channel, media, ["acme"], truth.l_max)
        np.testing.assert_allclose(found[0], by_week, rtol=1e-6, atol=1e-3)


def test_hand_computed_curve_of_two_entities():
    # Weights 2/3, 1/3; carried 2/3, 4/3 and their shapes x / (1 + x).
    channel = KnownChannel(
        retention=0.5, half_saturation=1, slope=1, beta={"a": 10, "b": -1}, input_scale=2
    )
    found = bring(channel, np.array([[2.0, 3.0], [0.0, 0.0]]), ["a", "b"], 2)
    np.testing.assert_allclose(found, [[4.0, 40 / 7], [0, 0]], atol=1e-12)


def test_every_channel_and_entity_that_is_missing_is_named():
    known = {"retention": 0, "half_saturation": 1, "slope": 1, "input_scale": 1}
    truth = KnownTruth(l_max=1, channels={"tv": KnownChannel(**known, beta={"a": 1.0})})
    require_known(truth, ["tv"], ["a"])
    with pytest.raises(SpecError) as refused:
        require_known(truth, ["tv", "radio"], ["a", "b"])
    assert refused.value.problems == [
        "it has no channel 'radio'", "channels.tv.beta has no entity 'b'"
    ]  # fmt: skip
