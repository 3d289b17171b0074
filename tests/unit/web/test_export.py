"""What a run left, to take away: every link answers, the archive is whole."""

import io
import re
import zipfile

import pytest

from tasks.query.outputs import list_outputs, open_output


def test_every_output_is_named_and_every_link_answers(web, published):
    page = web.page("/export/run-1")
    for name in list_outputs("run-1"):
        assert f"/api/v1/outputs/run-1/{name}" in page
    links = set(re.findall(r'href="(/(?:api|export)[^"]+)"', page))
    assert len(links) > 10
    # Of a run that was forged by hand, these two are no documents of their models.
    whole = {href for href in links if not href.endswith(("/columns", "/model_metadata"))}
    bad = {href: web.get(href.replace("&amp;", "&")).status_code for href in whole}
    assert {href: status for href, status in bad.items() if status != 200} == {}


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_the_archive_holds_every_output_as_it_is(web, published, kind):
    answer = web.get(f"/export/run-1/all.zip?kind={kind}")
    assert answer.headers["content-disposition"] == f'attachment; filename="run-1-{kind}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        assert len(names) == len(list_outputs("run-1"))
        roi = open_output("run-1", "roi")
        assert packed.read(f"run-1/{roi.path.name}") == roi.read_bytes()
        assert f"run-1/contributions.{kind}" in names


def test_a_format_that_there_is_not_is_refused(web, published):
    assert web.get("/export/run-1/all.zip?kind=exe").status_code == 406
    assert web.get("/export/nothing").status_code == 404
    assert web.get("/export/nothing/all.zip").status_code == 404


def test_it_leads_to_the_newest_run_that_has_something(web, published):
    answer = web.get("/export", follow_redirects=False)
    assert answer.headers["location"] == "/export/run-1"


def test_an_empty_home_says_what_to_do(web):
    assert "as soon as a refit has ended" in web.page("/export")
