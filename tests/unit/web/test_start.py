"""The first page: the demo, the datasets, the runs."""

import re

from tasks.store.runs.status import start_run


def test_an_empty_home_offers_the_demo_in_one_button(web):
    page = web.page("/")
    assert "No dataset yet" in page
    assert 'action="/demo"' in page


def test_the_demo_is_a_dataset_after_one_click(web, home):
    done = web.submit("/demo")
    assert done.status_code == 303
    page = web.page("/")
    assert "panel.csv" in page
    assert "No dataset yet" not in page
    assert sorted(p.name for p in home.uploads.glob("*/*/*.csv")) == ["panel.csv"]


def test_each_row_of_the_runs_says_whose_it_is(web, home):
    start_run(home, "tea-1", "tea")
    start_run(home, "long-1", "the_brand_with_a_long_name")
    page = web.page("/")
    assert re.findall(r'<text class="row"[^>]*>([^<]+)<', page) == ["the_brand_with_a_lo…", "tea"]


def test_health_names_what_is_not_there(web, monkeypatch):
    assert "are there" in web.page("/fragments/health")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    page = web.page("/fragments/health")
    assert "PREFECT_API_URL does not answer" in page
    assert "FAIL" in page
