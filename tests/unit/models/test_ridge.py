"""Kind ``ridge``: regression, what is chosen on which rows, pooling, draws, the contract."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import lsq_linear, nnls
from support.worlds import build_world, make_rows, make_spec

from schemas.documents.effects import EvidenceClass
from schemas.errors import SpecError
from schemas.names import ComponentKind
from schemas.spec.ridge import Pooling, RidgeSpec
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.evidence import count_effects, evidence_rows
from tasks.models.kind import Watch
from tasks.models.ridge.bootstrap import Bootstrap, draw_blocks, regress
from tasks.models.ridge.candidates import make_columns
from tasks.models.ridge.design import build_design, read_settings
from tasks.models.ridge.folds import plan_folds
from tasks.models.ridge.kind import RIDGE
from tasks.models.ridge.pooling import Estimator
from tasks.models.ridge.search import Chosen, middle, search_widely
from tasks.models.ridge.solve import solve_signed, stiffen

FEW = SamplerSpec(draws=20, chains=2)
FIXED = {
    "decay": 0.4,
    "half_saturation": 0.3,
    "slope": 1.6,
    "penalty": {"media": 0.01, "controls": 0.01, "trend": 0.01, "seasonality": 0.01},
}


def ridge_world(n_entities=1, n_periods=104, rows=None, **ridge):
    rows = make_rows(n_entities, n_periods) if rows is None else rows
    return build_world(rows, make_spec("ridge", model={"ridge": ridge}))


def fit(world, settings=FEW):
    draws = RIDGE.fit(world.panel, world.inputs, settings, Watch()).tree["posterior"].to_dataset()
    return RIDGE.open(draws, world.inputs)


def known_world(seed=3, n_periods=156, noise=2.0):
    """Rows whose KPI this kind can make exactly but for noise, and what made it."""
    rows = make_rows(1, n_periods, seed=seed)
    world = ridge_world(rows=rows)
    design = build_design(world.panel, world.inputs)
    true = Chosen(((0.6, 0.3, 1.6), (0.0, 0.6, 1.0), (0.2, 0.6, 1.6), (0.0, 0.3, 1.0)), (0.0,) * 4)
    sizes = np.array([150.0, 90.0, 60.0, -40.0])
    parts = sizes[:, None] * design.columns(true.media)[:4, 0]
    rng = np.random.default_rng(seed)
    rows["sales"] = 900 + parts.sum(axis=0) + rng.normal(0, noise, n_periods)
    return ridge_world(rows=rows), true, parts


def test_the_ridge_is_that_of_bounded_least_squares_on_stacked_rows():
    """Independent route: penalties as rows of their own, bounds by a trust-region solver."""
    rng = np.random.default_rng(1)
    for seed in range(20):
        x, y = rng.normal(size=(40, 6)), rng.normal(size=40)
        penalty, signs = rng.uniform(0, 2, 6), np.array([1, 1, -1, 0, 0, 1.0])
        stiff = stiffen(x.T @ x, penalty)
        got = solve_signed(stiff, x.T @ y, signs)
        root = np.linalg.cholesky(stiff - x.T @ x).T
        stacked = np.vstack([x, root]), np.concatenate([y, np.zeros(6)])
        bounds = np.where(signs > 0, 0, -np.inf), np.where(signs < 0, 0, np.inf)
        np.testing.assert_allclose(
            got, lsq_linear(*stacked, bounds, tol=1e-13).x, atol=1e-6, err_msg=str(seed)
        )
        assert (got * signs >= 0).all()


def test_many_problems_with_many_zeros_are_solved_at_once():
    """Columns that nearly repeat each other, most of them at zero; by active sets, one by one."""
    rng = np.random.default_rng(4)
    common = rng.normal(size=(300, 30, 1))
    x = common + 0.05 * rng.normal(size=(300, 30, 12))
    y = common[..., 0] + rng.normal(size=(300, 30))
    gram, moment = np.swapaxes(x, 1, 2) @ x, np.einsum("ntc,nt->nc", x, y)
    got = solve_signed(gram, moment, np.ones(12))
    expected = np.array([nnls(*one)[0] for one in zip(x, y, strict=True)])
    assert 0.2 < (expected == 0).mean() < 0.95
    np.testing.assert_allclose(got, expected, atol=1e-8)


def test_a_penalty_takes_the_same_share_of_a_coefficient_in_any_unit():
    x = np.random.default_rng(2).normal(size=50)
    for unit in (1e-3, 1.0, 1e4):
        gram = np.array([[(unit * x) @ (unit * x)]])
        got = solve_signed(stiffen(gram, np.array([0.25])), gram[:, 0] * 3, np.zeros(1))
        assert got[0] == pytest.approx(3 / 1.25, rel=1e-6)


def test_folds_are_later_each_time_and_fitted_to_at_least_half_of_the_rows():
    folds = plan_folds(105, 4)
    assert folds[0].cut >= 105 / 2
    assert [f.cut for f in folds[1:]] == [f.end for f in folds[:-1]]
    assert folds[-1].end == 105


def test_no_later_row_reaches_an_earlier_fold():
    """Whatever the KPI, the media and the linear terms are from a cut on, nothing before moves."""
    world = ridge_world(2)
    design = build_design(world.panel, world.inputs)
    folds = plan_folds(design.kpi.shape[1], 4)
    plain = moments_of(design)
    for number, fold in enumerate(folds):
        media, kpi, linear = design.media.copy(), design.kpi.copy(), design.linear.copy()
        media[..., fold.cut :] *= 7.0
        kpi[..., fold.cut :] += 5.0
        linear[..., fold.cut :] -= 3.0
        changed = moments_of(replace(design, media=media, kpi=kpi, linear=linear))
        for kind in ("gram", "moment"):
            one, other = getattr(plain, kind), getattr(changed, kind)
            upto, earlier = slice(None, number + 1), slice(None, number)
            np.testing.assert_array_equal(one.fitted[upto], other.fitted[upto])
            np.testing.assert_array_equal(one.scored[earlier], other.scored[earlier])
            assert (one.scored[number] != other.scored[number]).any()


def moments_of(design, n_folds=4):
    columns = make_columns(design, n_folds)
    places = columns.places(middle(design, RidgeSpec()).media)
    return columns.with_kpi(design.kpi).moments(places, columns.gram(places))


def test_a_candidate_in_a_columns_place_has_the_moments_of_the_whole():
    """Against columns put together and centred by hand, fold by fold."""
    design = build_design((world := ridge_world(2)).panel, world.inputs)
    columns, channel = make_columns(design, 3), 1
    places = columns.places(middle(design, RidgeSpec()).media)
    tried = slice(columns.starts[channel], columns.starts[channel + 1])
    target = columns.with_kpi(design.kpi)
    got = target.moments_of_each(places, channel, tried, columns.grams(places, channel))
    for number in (0, 7, 39):
        media = list(middle(design, RidgeSpec()).media)
        media[channel] = design.candidates(channel)[number]
        whole = np.concatenate([design.columns(media), design.kpi[None]])
        for k, fold in enumerate(plan_folds(design.kpi.shape[1], 3)):
            before = whole[..., : fold.cut].mean(axis=-1, keepdims=True)
            for kind, periods in (("fitted", slice(fold.cut)), ("scored", slice(*fold))):
                flat = (whole[..., periods] - before).reshape(len(whole), -1)
                by_hand = flat @ flat.T
                gram, moment, square = (getattr(part, kind)[k] for part in got)
                np.testing.assert_allclose(gram[number], by_hand[:-1, :-1], atol=1e-12)
                np.testing.assert_allclose(moment[number], by_hand[:-1, -1], atol=1e-12)
                assert square == pytest.approx(by_hand[-1, -1])


def test_a_known_world_is_found_again():
    world, true, parts = known_world()
    design = build_design(world.panel, world.inputs)
    settings = read_settings(world.metadata)
    found = search_widely(design, settings, make_columns(design, settings.folds))
    assert found.media[:3] == true.media[:3]
    model = fit(world)
    # The fourth is always on and small: its level cannot be told from the baseline.
    for channel, part in zip(model.components[:3], parts[:3], strict=True):
        got = model.contribution(channel, world.panel)[:, 0].sum(axis=-1)
        assert got.mean() == pytest.approx(part.sum(), rel=0.1), channel.name


def test_what_a_spec_fixes_is_not_searched():
    world = ridge_world(**FIXED)
    draws = fit(world).draws
    values = draws["hyperparameter"].to_numpy().reshape(-1, 4, 3)
    assert (values == [0.4, 0.3, 1.6]).all()
    assert (draws["penalty"].to_numpy() == 0.01).all()


def test_the_same_seed_gives_the_same_draws_and_another_one_others():
    world = ridge_world(**FIXED)
    first, again = fit(world).draws, fit(world).draws
    assert first.identical(again)
    other = fit(world, SamplerSpec(draws=20, chains=2, random_seed=1)).draws
    assert (first["coefficient"] != other["coefficient"]).any()


def test_the_stated_share_of_draws_is_searched_anew():
    world = ridge_world(refit_share=0.25)
    design = build_design(world.panel, world.inputs)
    settings = read_settings(world.metadata)
    columns = make_columns(design, settings.folds)
    found = search_widely(design, settings, columns)
    bootstrap = Bootstrap(design, settings, columns, found)
    searched = [bootstrap._is_refit(number) for number in range(40)]
    assert sum(searched) == 10
    assert 4 <= sum(searched[:20]) <= 6


def test_blocks_are_neighbours():
    drawn = draw_blocks(50, 5, np.random.default_rng(0))
    assert len(drawn) == 50
    assert (np.diff(drawn.reshape(10, 5), axis=1) == 1).all()


def test_entities_are_pooled_as_far_as_is_asked():
    world = ridge_world(3, **FIXED)
    design = build_design(world.panel, world.inputs)
    chosen = middle(design, read_settings(world.metadata))
    columns = design.columns(chosen.media)

    def solve(pooling, strength):
        return Estimator(columns, design, chosen, pooling, strength).solve(design.kpi)[0]

    complete = solve(Pooling.COMPLETE, 1.0)
    assert np.ptp(complete, axis=0).max() == 0
    np.testing.assert_allclose(solve(Pooling.PARTIAL, 1e6), complete, atol=1e-3)
    alone = solve(Pooling.NONE, 1.0)
    for e in range(3):
        own = replace(design, kpi=design.kpi[[e]])
        single = Estimator(columns[:, [e]], own, chosen, Pooling.COMPLETE, 1.0).solve(own.kpi)[0]
        np.testing.assert_allclose(alone[e], single[0], atol=1e-12)
    between = solve(Pooling.PARTIAL, 1.0)
    assert np.abs(between - complete).sum() < np.abs(solve(Pooling.PARTIAL, 0.1) - complete).sum()


def test_a_single_entity_has_nothing_to_pool():
    assert "pooling_strength" not in fit(ridge_world(**FIXED)).draws
    assert "pooling_strength" in fit(ridge_world(2, **FIXED)).draws


@pytest.fixture(scope="module", params=[1, 3])
def fitted(request):
    world = ridge_world(request.param, 60)
    return world, fit(world)


def test_parts_add_up_and_signs_hold(fitted):
    world, model = fitted
    expected = model.expected(world.panel)
    assert expected.shape == (40, world.panel.sizes["entity"], 60)
    total = sum(model.contribution(c, world.panel) for c in model.components)
    np.testing.assert_allclose(total, expected, rtol=1e-12)
    for component in model.components[:4]:
        sign = -1 if component.name == "rival" else 1
        assert (sign * model.contribution(component, world.panel) >= 0).all()


def test_what_was_fitted_explains_the_kpi(fitted):
    world, model = fitted
    residual = world.panel["kpi"].to_numpy() - model.expected(world.panel).mean(axis=0)
    assert np.abs(residual.mean(axis=1)).max() < 5
    assert (residual.std(axis=1) < 0.6 * world.panel["kpi"].to_numpy().std(axis=1)).all()


def test_the_gradient_is_that_of_a_small_step(fitted):
    world, model = fitted
    weights = np.random.default_rng(0).normal(size=(40, *world.panel["kpi"].shape)) / 40
    gradient = model.media_gradient(world.panel, weights, ["search", "tv"])
    for place, channel in enumerate(["search", "tv"]):
        on_air = np.flatnonzero((world.panel["media"].sel(channel=channel) > 1).all("entity"))
        for at in on_air[[0, len(on_air) // 2, -1]]:
            step = 1e-4
            ends = []
            for sign in (1, -1):
                moved = world.panel.copy(deep=True)
                moved["media"].loc[{"channel": channel, "date": moved["date"][at]}] += sign * step
                ends.append((weights * model.expected(moved)).sum())
            by_hand = (ends[0] - ends[1]) / (2 * step)
            assert gradient[:, place, at].sum() == pytest.approx(by_hand, rel=1e-4, abs=1e-7)


def test_future_media_do_not_matter(fitted):
    world, model = fitted
    future = world.panel.copy(deep=True)
    future["media"].loc[{"date": future["date"][40:]}] *= 3
    before, after = model.expected(world.panel), model.expected(future)
    np.testing.assert_allclose(before[..., :40], after[..., :40], rtol=1e-13)


def test_noise_is_seeded_and_the_likelihood_best_at_the_expected_kpi(fitted):
    world, model = fitted
    expected = model.expected(world.panel)
    drawn = model.sample_kpi(world.panel, expected, seed=1)
    np.testing.assert_array_equal(drawn, model.sample_kpi(world.panel, expected, seed=1))
    observed = model.log_likelihood(world.panel, expected)
    ideal = world.panel.assign(kpi=(("entity", "date"), expected[0]))
    assert (model.log_likelihood(ideal, expected)[0] >= observed[0] - 1e-12).all()
    few = model.thinned(4)
    assert few.expected(world.panel).shape[0] == 4


def test_residuals_get_back_the_spread_that_the_fit_took():
    """Noise of a known size comes out in its size, on average over worlds."""
    found = []
    for seed in range(12):
        rows = make_rows(1, 104, seed=seed)
        as_made = FIXED | {"decay": 0.0, "half_saturation": 20.0, "slope": 1.0}
        world = ridge_world(rows=rows, **as_made)
        design = build_design(world.panel, world.inputs)
        settings = read_settings(world.metadata)
        draw, _ = regress(design, settings, middle(design, settings)).fit(design.kpi)
        found.append(draw.sigma[0] * world.inputs.scales["kpi_scale"].item())
    assert np.mean(found) == pytest.approx(25, rel=0.15)


@pytest.mark.parametrize("pooling", [Pooling.COMPLETE, Pooling.NONE])
def test_draws_without_signs_vary_as_the_posterior_of_the_penalty(pooling):
    """By another route: a penalty p on a sum of squares g is a normal prior of variance s^2 / pg.

    With noise s and cross products G the posterior has covariance s^2 (G + P)^-1; that of noise
    alone would be s^2 (G + P)^-1 G (G + P)^-1.
    """
    world = ridge_world(3, **{**FIXED, "penalty": dict.fromkeys(FIXED["penalty"], 0.5)})
    design = build_design(world.panel, world.inputs)
    design = replace(design, signs=np.zeros_like(design.signs))
    chosen = middle(design, read_settings(world.metadata))
    columns = design.columns(chosen.media)
    estimator = Estimator(columns, design, chosen, pooling, 1.0)
    rng, s, n = np.random.default_rng(5), 0.1, 4000
    shape = (len(design.kpi) + 1, len(columns))
    drawn = np.array(
        [
            estimator.solve(
                design.kpi + s * rng.standard_normal(design.kpi.shape),
                s * rng.standard_normal(shape),
            )[0][0]
            for _ in range(n)
        ]
    )
    centred = np.moveaxis(columns - columns.mean(axis=-1, keepdims=True), 1, 0)
    grams = centred @ np.moveaxis(centred, 1, 2)
    gram = grams.sum(axis=0) if pooling is Pooling.COMPLETE else grams[0]
    posterior = s**2 * np.linalg.inv(gram + 0.5 * np.diag(np.diag(gram)))
    found = drawn.std(axis=0) / np.sqrt(np.diag(posterior))
    np.testing.assert_allclose(found, 1.0, atol=5 / np.sqrt(2 * n))


def test_an_entity_that_is_drawn_to_the_others_does_not_look_surer_than_it_is():
    """Were the common coefficients known, its own would have covariance s^2 (G + P)^-1 at best.

    Draws toward one and the same place vary less: of four entities, with P = G, by 0.66 over the
    root of g where 0.71 is the least.
    """
    world = ridge_world(4, 104, **FIXED)
    design = build_design(world.panel, world.inputs)
    chosen = middle(design, read_settings(world.metadata))
    columns = design.columns(chosen.media)
    estimator = Estimator(columns, design, chosen, Pooling.PARTIAL, 1.0)
    rng, s, n = np.random.default_rng(6), 0.05, 1000
    drawn = [
        estimator.solve(
            design.kpi + s * rng.standard_normal(design.kpi.shape),
            s * rng.standard_normal((len(design.kpi) + 1, len(columns))),
        )[0]
        for _ in range(n)
    ]
    centred = np.moveaxis(columns - columns.mean(axis=-1, keepdims=True), 1, 0)
    grams = centred @ np.moveaxis(centred, 1, 2)
    at_best = np.linalg.inv(stiffen(grams, np.ones(len(columns))))
    least = s * np.sqrt(np.diagonal(at_best, axis1=1, axis2=2))
    told = (design.signs == 0) & (centred.std(axis=-1) > 0)
    assert told.any()
    assert (np.std(drawn, axis=0) > least)[told].all()


def test_evidence_is_counted_and_claims_no_prior():
    world, _, _ = known_world()
    evidence = count_effects(fit(world), world.panel, world.window)
    assert evidence["tv"].found is EvidenceClass.EFFECT
    rows = evidence_rows(evidence, {})
    assert rows["tv"].log10_likelihood_ratio is None
    assert rows["tv"].prior_elasticity is None


@pytest.mark.slow
def test_a_channel_without_effect_seldom_shows_one():
    shown = 0
    for seed in range(20):
        rows = make_rows(1, 104, seed=seed)
        rows["act_email"] = np.round(np.random.default_rng(900 + seed).gamma(3, 10, 104))
        world = ridge_world(rows=rows, refit_share=0.0)
        evidence = count_effects(fit(world), world.panel, world.window)
        shown += evidence["email"].found is EvidenceClass.EFFECT
    assert shown <= 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ridge": {"folds": 10}}, r"folds = 10 needs 80 fitted periods, there are 60; set .* 7"),
        ({"media_share": 0.2}, r"model\.media_share: kind ridge does not know this"),
        ({"adstock": {"kind": "delayed"}}, r"model\.adstock\.kind delayed \(it has geometric\)"),
        ({"saturation": {"kind": "tanh"}}, r"model\.saturation \(it has hill after adstock\)"),
    ],
)
def test_what_it_cannot_do_is_refused_before_a_fit(settings, message):
    with pytest.raises(SpecError, match=message):
        build_world(make_rows(1, 60), make_spec("ridge", model=settings))


def test_a_panel_without_media_is_refused():
    rows = make_rows(1, 60)
    rows[["act_tv", "spend_tv", "spend_search", "act_email", "act_rival"]] = 0.0
    with pytest.raises(SpecError, match="no channel has any spend or activity"):
        build_world(rows, make_spec("ridge"))


@pytest.mark.parametrize(
    ("ridge", "message"),
    [
        ({"decay": [0.2, 0.2]}, "name each once"),
        ({"decay": 1.0}, "less than 1"),
        ({"slope": []}, "at least 1 item"),
        ({"pooling": "some"}, "complete"),
        ({"half_saturation": True}, "valid list"),
    ],
)
def test_a_bad_grid_is_refused(ridge, message):
    with pytest.raises(ValueError, match=message):
        RidgeSpec.model_validate(ridge)


def test_its_block_is_refused_to_other_kinds():
    with pytest.raises(ValueError, match=r"model\.ridge: only kind ridge knows this"):
        make_spec("mmm", model={"ridge": {"folds": 3}})


def test_parameters_are_counted_once_or_per_entity():
    complete, partial = ridge_world(3, pooling="complete"), ridge_world(3)
    assert complete.metadata.n_parameters == 12 + 4 + len(_terms(complete)) + 6
    assert partial.metadata.n_parameters == 12 + 3 * (4 + len(_terms(partial))) + 6


def _terms(world):
    model = fit(world)
    assert model.components[-1].kind is ComponentKind.BASELINE
    return model.draws["term"].values
