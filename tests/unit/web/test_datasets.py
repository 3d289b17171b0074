"""One dataset in the browser: columns, check, rows, deletion; every file is hostile."""

import html
import re

import pytest
from support.jobs_here import ChildHere

from flows.api import jobs
from tasks.ingest import task_drafts

ROWS = [b"%04d-%02d-%02d,%d,5,7,1.5,9,x\n" % (2024, 1 + i // 28, 1 + i % 28, 100 + i)
        for i in range(40)]  # fmt: skip
PANEL = b"week,revenue,act_tv,spend_tv,ctrl_price,warmth,<b>note</b>\n" + b"".join(ROWS)
SPEC = {
    "dataset_id": "shop",
    "columns": {"period_start": "week"},
    "target_col": "revenue",
    "channels": [{"name": "tv", "activity": "act_tv", "spend": "spend_tv"}],
}


@pytest.fixture(autouse=True)
def jobs_here(monkeypatch):
    """Check and guess in this process."""
    monkeypatch.setattr(jobs, "_spawn", ChildHere)


@pytest.fixture
def shop(web):
    """A dataset whose file came and whose run spec was saved."""
    web.put("/api/v1/datasets/shop/file", params={"name": "shop.csv"}, content=PANEL)
    task_drafts.save_draft(
        "shop", task_drafts.write_text(SPEC), origin="made by a test", reasons={"week": "has days"}
    )
    return web


def columns_form(page):
    names = [html.unescape(n) for n in re.findall(r'name="column" value="([^"]*)"', page)]
    uses = re.findall(r'<option value="([a-z_]+)" selected', page)
    channels = re.findall(r'name="channel" value="([^"]*)"', page)
    return {
        "seen": re.search(r'name="seen" value="([^"]*)"', page)[1],
        "column": names, "use": uses, "channel": channels, "do": "save",
    }  # fmt: skip


def test_a_dataset_shows_its_rows_and_nothing_of_them_is_markup(shop):
    page = shop.page("/data/shop")
    assert "2024-01-01" in page
    assert "&lt;b&gt;note&lt;/b&gt;" in page
    assert "<b>note" not in page
    assert "rows_from=20" in page
    assert "2024-02-12" in shop.page("/data/shop?rows_from=20")


def test_columns_say_what_they_are_and_why(shop):
    page = shop.page("/data/shop/columns")
    form = columns_form(page)
    assert form["use"] == [
        "period", "kpi", "activity", "spend", "control", "ignored", "ignored",
    ]  # fmt: skip
    assert "has days" in page
    assert "Ignored: warmth, &lt;b&gt;note" in page


def test_a_role_that_is_changed_is_kept_in_the_run_spec(shop):
    form = columns_form(shop.page("/data/shop/columns"))
    form["use"][5:] = ["control", "control"]
    done = shop.submit("/data/shop/columns", form)
    assert done.status_code == 200
    assert "Saved" in done.text
    assert task_drafts.parse_text(task_drafts.find_draft("shop").text)["controls"] == [
        "ctrl_price", "warmth", "<b>note</b>",
    ]  # fmt: skip


def test_roles_that_cannot_be_are_refused_with_what_was_chosen(shop):
    form = columns_form(shop.page("/data/shop/columns"))
    form["use"][1] = "period"
    refused = shop.submit("/data/shop/columns", form)
    assert refused.status_code == 422
    assert "cannot both be it" in refused.text
    assert columns_form(refused.text)["use"] == form["use"]
    assert "made by a test" in shop.page("/data/shop/columns")


def test_a_column_that_the_file_lacks_is_refused_before_anything_is_kept(shop):
    form = columns_form(shop.page("/data/shop/columns"))
    form["use"][6], form["column"][6] = "control", "nothing"
    refused = shop.submit("/data/shop/columns", form)
    assert refused.status_code == 422
    assert task_drafts.find_draft("shop").origin == "made by a test"


def test_a_run_spec_that_somebody_else_changed_is_not_lost(shop):
    form = columns_form(shop.page("/data/shop/columns"))
    task_drafts.save_draft(
        "shop", task_drafts.write_text(SPEC | {"decimal": "."}), origin="another", reasons={}
    )
    refused = shop.submit("/data/shop/columns", form)
    assert refused.status_code == 412
    assert "Somebody has changed" in refused.text
    assert task_drafts.find_draft("shop").origin == "another"


def test_a_new_file_is_looked_at_and_its_spec_kept(web):
    days = [f"2023-{1 + i // 4:02d}-{1 + 7 * (i % 4):02d}" for i in range(48)]
    body = "\n".join(["week,revenue,spend_tv", *(f"{d},{100 + i},{i}" for i, d in enumerate(days))])
    web.put("/api/v1/datasets/new/file", params={"name": "x.csv"}, content=body.encode())
    page = web.page("/data/new/columns")
    assert "guessed from names and values" in page
    assert columns_form(page)["use"] == ["period", "kpi", "spend"]
    assert 'dataset_id: "new"' in task_drafts.find_draft("new").text


def test_a_check_shows_findings_beside_the_rows_they_are_about(shop):
    bad = PANEL.replace(b"105,5,7,1.5", b"105,5,-7,1.5")
    shop.put("/api/v1/datasets/shop/file", params={"name": "bad.csv"}, content=bad)
    page = shop.submit("/data/shop/check").text
    assert "FAIL" in page
    assert "Not yet" in page
    line = re.search(r'<tr class="faulty"><td class="num">(\d+)</td>.*?</tr>', page, re.S)
    assert line[1] == "7"
    assert re.search(r'<td class="faulty">-7 ', line[0])


def test_a_file_that_is_no_table_is_refused_with_a_reason(shop):
    shop.put("/api/v1/datasets/shop/file", params={"name": "x.parquet"}, content=b"no")
    assert "cannot be shown" in shop.page("/data/shop")
    refused = shop.submit("/data/shop/check")
    assert refused.status_code == 422 or "FAIL" in refused.text


def test_deleting_names_what_goes(shop, home):
    assert "Delete 1 file of shop" in shop.page("/data/shop")
    assert shop.submit("/data/shop/delete").status_code == 303
    assert not (home.uploads / "shop").exists()
    assert "No dataset &#39;shop&#39;" in shop.page("/data/shop", status=404)


@pytest.mark.parametrize("name", ["%2e%2e%2fetc", "a b", "<script>", "x" * 70])
def test_a_name_that_is_none_of_a_dataset_is_refused(web, name):
    answer = web.get(f"/data/{name}")
    assert answer.status_code in {404, 422}
    assert "<script>" not in answer.text
