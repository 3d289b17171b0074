"""Slopes and crossings of curves whose derivative is known."""

import numpy as np
import pytest

from tasks.attribute.marginal import find_breakeven, marginal_return, spaced_grid

END, CURRENT = 200.0, 40.0
GRID = spaced_grid(END, CURRENT, 31)


def hill(x, slope, half, height=500.0):
    return height * x**slope / (x**slope + half**slope)


def hill_slope(x, slope, half, height=500.0):
    return height * slope * x ** (slope - 1) * half**slope / (x**slope + half**slope) ** 2


@pytest.mark.parametrize("current", [1e-6, 0.1, 40.0, 159.9])
def test_the_grid_goes_from_zero_to_its_end_through_current_spend(current):
    x = spaced_grid(END, current, 31)
    assert (x[0], x[-1], len(x)) == (0, END, 31)
    assert current in x
    assert (np.diff(x) > 0).all()


@pytest.mark.parametrize("slope", [0.6, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("half", [20.0, 100.0])
def test_the_slope_of_a_hill_curve(slope, half):
    at = np.linspace(10, END, 57)
    got = marginal_return(GRID, hill(GRID, slope, half)[None], at)
    np.testing.assert_allclose(got[0], hill_slope(at, slope, half), rtol=1e-2)


def test_a_line_and_a_root_have_their_exact_slope():
    at = np.array([0.01, 3.0, 150.0])
    np.testing.assert_allclose(marginal_return(GRID, 2.5 * GRID, at), 2.5, rtol=1e-9)
    np.testing.assert_allclose(marginal_return(GRID, np.sqrt(GRID), at), 0.5 / np.sqrt(at))


def test_breakeven_of_michaelis_menten_curves_in_closed_form():
    heights, half = np.linspace(80, 400, 101), 30.0
    curves = np.stack([hill(GRID, 1.0, half, height) for height in heights])
    got = find_breakeven(GRID, curves, target=1.0)
    closed = np.sqrt(heights * half) - half
    assert got.where == "inside"
    assert got.spend == pytest.approx(np.sqrt(heights.mean() * half) - half, rel=2e-3)
    assert got.low == pytest.approx(closed[5], rel=2e-3)
    assert got.high == pytest.approx(closed[95], rel=2e-3)


def test_an_s_shaped_curve_breaks_even_on_its_falling_side():
    curve = hill(GRID, 3.0, 60.0)
    got = find_breakeven(GRID, curve[None], target=2.0)
    slope_at = hill_slope(np.array([got.spend * 0.98, got.spend, got.spend * 1.02]), 3.0, 60.0)
    assert slope_at[0] > slope_at[1] > slope_at[2]
    assert slope_at[1] == pytest.approx(2.0, rel=2e-3)
    assert hill_slope(1.0, 3.0, 60.0) < 2.0


def test_ends_that_no_draw_or_not_every_draw_reaches():
    lines = np.outer(np.linspace(0.5, 1.5, 101), GRID)
    up = find_breakeven(GRID, lines, target=0.9)
    assert (up.where, up.spend, up.low, up.high) == ("beyond", None, 0.0, None)
    down = find_breakeven(GRID, lines, target=1.1)
    assert (down.where, down.spend, down.low, down.high) == ("below", 0.0, 0.0, None)
