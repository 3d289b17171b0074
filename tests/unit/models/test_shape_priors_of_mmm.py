"""What a spec holds likely of carryover and slopes is what the parameters have as priors."""

import numpy as np
import pytest
from support.worlds import mmm_world

from schemas.errors import SpecError
from schemas.spec.errors import parse_run_spec
from tasks.models.mmm.constants import fit_constants


def table_of(**model):
    world = mmm_world(model=model)
    return fit_constants(world.panel, world.inputs).table


def test_long_carryover_and_steep_slopes_change_their_own_priors_alone():
    plain = table_of()
    other = table_of(adstock={"l_max": 4, "carryover": "long"}, saturation={"slope": "steep"})
    alpha, slope = other["adstock_alpha"], other["saturation_slope"]
    assert (alpha.first == 8.0).all()
    assert (alpha.second == 1.5).all()
    np.testing.assert_allclose(slope.first, np.log(2.5))
    np.testing.assert_array_equal(other["saturation_kappa"].first, plain["saturation_kappa"].first)


def test_delayed_carryover_that_is_long_has_its_peak_weeks_later():
    short = table_of(adstock={"kind": "delayed", "l_max": 4})
    long = table_of(adstock={"kind": "delayed", "l_max": 4, "carryover": "long"})
    assert (short["adstock_theta"].first == 1.0).all()
    assert (long["adstock_theta"].first == 3.0).all()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"adstock": {"kind": "weibull_pdf", "carryover": "long"}}, "carryover long is known"),
        ({"saturation": {"kind": "tanh", "slope": "steep"}}, "slope steep is known"),
    ],
)
def test_what_no_prior_is_known_of_is_refused(model, said):
    with pytest.raises(SpecError, match=said):
        parse_run_spec({"dataset_id": "d", "model": model})
