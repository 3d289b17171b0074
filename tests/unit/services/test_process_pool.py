"""Work that runs side by side: in the order it was given, and reported as it ends."""

from flows import timing
from flows.services.process_pool import run_all


def double(work: int) -> int:
    return 2 * work


def test_each_piece_that_has_ended_is_reported_by_its_number(monkeypatch):
    reported = []
    monkeypatch.setattr(timing, "listeners", [lambda name, _: reported.append(name)])
    assert run_all(double, [1, 2, 3], 1) == [2, 4, 6]
    assert reported == ["1 of 3", "2 of 3", "3 of 3"]
