"""Calls at the end of a piece of the frames' memory cost no system calls."""

import resource
import sys
import threading

import pytest

from flows.cli.frames import call_in_one_piece

N_CALLS = 500


def _faults():
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt


def _leaf(a, b, c, d):
    return a


def _worst_at_any_depth():
    """Return the most page faults that N_CALLS calls take, at 1 to 200 frames below here."""
    worst = 0

    def descend(depth):
        nonlocal worst
        before = _faults()
        for _ in range(N_CALLS):
            _leaf(1, 2, 3, 4)
        worst = max(worst, _faults() - before)
        if depth:
            descend(depth - 1)

    descend(200)
    return worst


def _in_a_thread(work):
    # A thread begins with a first piece of its own, wherever pytest's own calls end.
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="faults of a thread: Linux alone")
def test_no_depth_pays_for_the_end_of_a_piece():
    # The first says that Python still does what this is for; where it does not, remove both.
    assert _in_a_thread(_worst_at_any_depth) >= N_CALLS
    assert _in_a_thread(lambda: call_in_one_piece(_worst_at_any_depth)) < N_CALLS / 5


def test_what_is_called_answers_and_raises_as_it_is():
    assert call_in_one_piece(lambda: 7) == 7
    with pytest.raises(KeyError):
        call_in_one_piece(lambda: {}["absent"])
