"""In which order the reasons of a verdict are told."""

from tasks.diagnose.judgement import order_reasons

DATA, FIT = ["padded_history: ..."], ["highest_return is 10.4."]


def test_doubtful_data_come_before_what_a_fit_to_them_shows():
    assert order_reasons(of_data=DATA, of_fit=FIT, is_sampled=True) == [*DATA, *FIT]


def test_a_fit_that_was_not_sampled_comes_before_everything():
    assert order_reasons(of_data=DATA, of_fit=FIT, is_sampled=False) == [*FIT, *DATA]
