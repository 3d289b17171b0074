"""The way through the web app in a real browser: upload, map, refuse, fit, read, plan, take away.

The server is a process of its own with a home of its own, and the fit is a real one.
"""

import json
import re
from pathlib import Path

import pytest
from support.axe import axe_faults
from support.browser import Page, open_page
from support.hostile_page import browser
from support.served_home import serve_home

from tasks.store.home import CHECKOUT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser() is None, reason="no Chromium here; `make browser` installs it"),
]
PANEL = (CHECKOUT / "data" / "demo" / "panel.csv").read_text(encoding="utf-8")
PAGES = (
    "/", "/sign-in", "/run", "/configure", "/results", "/budget", "/compare", "/champions",
    "/forecast", "/portfolio", "/export", "/nothing",
)  # fmt: skip
"""Pages that answer in a home with nothing in it, and in one where something was fitted."""
MANY_SECONDS = 420.0
"""A fit, on a machine that has other things to do."""
REFUSED = "Failed to load resource: the server responded with a status of 4"
"""What a browser writes down where a page was refused, which is looked for by its words here."""
FAULTS_OF_ACCESS = """(() => {
  const found = [];
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (!e.labels?.length && !e.getAttribute('aria-label')) found.push('no label: ' + e.outerHTML);
  for (const e of document.querySelectorAll('a, button'))
    if (!e.textContent.trim() && !e.getAttribute('aria-label')) found.push('no name: ' + e.outerHTML);
  // What a picture with words of its own is drawn of says nothing by itself.
  for (const e of document.querySelectorAll('svg:not([aria-hidden=true]), .plot'))
    if (!e.parentElement.closest('[aria-label]:is([role=img], [role=group])') && (!e.getAttribute('aria-label') || !['img', 'group'].includes(e.getAttribute('role')))) found.push('no words: ' + e.className.baseVal);
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of new Set(ids)) if (ids.filter(each => each === id).length > 1) found.push('twice: ' + id);
  if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
  if (!document.documentElement.lang) found.push('no language');
  return found;
})()"""  # noqa: E501 - a script


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A served site, at first of an empty home; tests of this module share it."""
    with serve_home(tmp_path_factory.mktemp("web")) as opened:
        yield opened


@pytest.fixture
def page(address):
    """A browser that has opened nothing yet; at the end nothing foreign was asked for."""
    with open_page() as opened:
        opened.look(width=1280)
        yield opened
        foreign = [r for r in opened.requests if not r.startswith((address, "data:", "blob:"))]
        assert foreign == []
        assert [c for c in opened.complaints if not c.startswith(REFUSED)] == []


def upload(page: Page, folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    page.choose_file("#file", file)
    page.run("document.documentElement.dataset.before = 'yes'")
    page.click("form[data-upload] button[type=submit]")
    root = "document.documentElement?.dataset"
    page.wait(f"location.pathname === '/data/shop' && !{root}.before && {root}.ready")


def test_a_marketer_uploads_maps_is_refused_mends_fits_and_reads(page, address, tmp_path):
    page.open(address)
    page.see("No dataset yet")
    renamed = PANEL.replace("period_start,sales,", "week,revenue,", 1)
    broken = re.sub(r"^(acme,2024-01-08,.*?,419,.*?),78928\.20,", r"\1,-78928.20,", renamed,
                    flags=re.M)  # fmt: skip
    assert broken != renamed
    upload(page, tmp_path, "shop.csv", broken)
    page.see("What the columns are", 120)
    uses = "[...document.querySelectorAll('select[name=use]')].map(e => e.value)"
    assert page.run(uses)[:3] == ["entity", "period", "kpi"]

    page.fill("#use-2", "ignored")
    page.click("#save-columns")
    page.see("choose the column that it is")
    page.fill("#use-2", "period")
    assert page.run(uses)[8] == "spend"  # one value below zero may be a credit note
    page.click("#save-columns")
    page.see("Saved.", 60)

    page.click("#check-button")
    page.see("Not yet", MANY_SECONDS)
    assert "-78928.20" in page.run("document.querySelector('td.faulty').innerText")
    upload(page, tmp_path, "shop.csv", renamed)
    page.click("#check-button")
    page.see("one per week", MANY_SECONDS)

    page.open(f"{address}/configure/shop")
    page.fill("#text", page.run("document.querySelector('#text').value") + "\nmodel: {kind: ridg}")
    page.see("This run spec cannot be used yet")
    text = "document.querySelector('#text').value"
    page.fill("#text", page.run(text).replace("ridg}", "ridge}"))
    page.wait("!document.body.innerText.includes('cannot be used yet')")
    page.click("#save-spec")
    page.see("Saved.")

    page.open(f"{address}/run?dataset_id=shop")
    page.click("#start-refit")
    page.wait("location.pathname.startsWith('/run/shop-')")
    page.see("Done", MANY_SECONDS)
    page.see("Read the results")
    run_id = page.run("location.pathname").removeprefix("/run/")
    page.open(f"{address}/results/{run_id}")
    page.see("What to do", 120)
    page.wait("document.documentElement.dataset.drawn", 60)
    page.open(f"{address}/forecast?dataset_id=shop")
    page.see("The next 13", 120)
    page.open(f"{address}/export/{run_id}")
    archive = f"fetch('/export/{run_id}/all.zip?kind=csv').then(a => a.text())"
    assert page.run(archive).startswith("PK")


@pytest.fixture
def fitted(address, page):
    """The run that was fitted on the way above."""
    page.open(f"{address}/results?dataset_id=shop")
    if not page.run("location.pathname").startswith("/results/shop-"):
        pytest.fail("the way to a fit comes first: run this whole file")
    return page.run("location.pathname").removeprefix("/results/")


GAIN = "document.querySelector('#gain').innerText"


def test_a_marketer_plans_by_dragging_and_typing_saves_compares_and_exports(page, address, fitted):
    page.open(f"{address}/budget?dataset_id=shop")
    page.wait("!!document.querySelector('#by-hand')", MANY_SECONDS)
    assert "Business as usual" in page.run(GAIN)
    # A slider as a drag moves it: many events, one answer to the last of them.
    page.run("""(e => { for (const share of [0.2, 0.4, 0.6, 0.8]) {
      e.value = share * e.max; e.dispatchEvent(new Event('input', {bubbles: true})); } })
      (document.querySelector('input[type=range]'))""")
    page.wait(f"{GAIN}.includes('94 %')")
    dragged = page.run(GAIN)
    typed = page.run("document.querySelector('#spend-1').value")
    assert float(typed) > 0, "the field shows what the slider says"
    page.fill("#spend-1", "1000")
    page.wait(f"{GAIN} !== {json.dumps(dragged)}")
    page.fill("#spend-1", "a lot")
    page.see("no amount of money")
    page.fill("#spend-1", "1000")
    page.wait("document.querySelector('#notice').hidden")

    page.fill("#save-name", "less of the first")
    page.click("#save-plan")
    page.wait("location.search.includes('plan=')", MANY_SECONDS)
    page.wait("!!document.querySelector('#saved input[type=checkbox]')", MANY_SECONDS)
    page.see("Begins with the saved plan less of the first")
    assert page.run("document.querySelector('#spend-1').value") == "1000"
    page.click("#saved input[aria-label='Compare less of the first']")
    page.click("#saved form button")
    page.wait("location.pathname === '/budget/compare'")
    page.see("Business as usual")
    page.see("less of the first")
    page.open(f"{address}/budget?dataset_id=shop&wait=1")
    link = "document.querySelector('#saved a[aria-label=\"less of the first as CSV\"]').href"
    table = page.run(f"fetch({link}).then(a => a.text())")
    assert table.startswith("channel,current,planned")


def test_two_browsers_at_once_each_see_what_the_other_has_done(page, address, fitted):
    with open_page() as other:
        for each in (page, other):
            each.open(f"{address}/configure/shop")
        page.fill("#text", page.run("document.querySelector('#text').value") + "\n# of the first\n")
        page.click("#save-spec")
        page.see("Saved.")
        other.fill("#text", other.run("document.querySelector('#text').value") + "\n# of two\n")
        other.click("#save-spec")
        other.see("Somebody has changed")
        other.open(f"{address}/configure/shop")
        assert "# of the first" in other.run("document.querySelector('#text').value")
        # Money that one moves, the other does not see moved, until it is saved.
        page.open(f"{address}/budget?dataset_id=shop&wait=1")
        other.open(f"{address}/budget?dataset_id=shop&wait=1")
        page.fill("#spend-1", "2000")
        page.wait(f"{GAIN}.includes('94 %')")
        assert "Business as usual" in other.run(GAIN)
        assert other.complaints == [] or all(c.startswith(REFUSED) for c in other.complaints)


FIGURES = """[...document.querySelectorAll('.plot')].filter(e => e.data).map(e => {
  const [legend, plot] = ['.legend', '.plot .bg, .nsewdrag'].map(each => e.querySelector(each));
  return {bar: !!e.querySelector('.modebar-btn'), ink: e.layout.font.color, fits: e.scrollWidth <= e.clientWidth,
    below: !legend || legend.getBoundingClientRect().top >= plot.getBoundingClientRect().bottom};
})"""  # noqa: E501 - a script


@pytest.mark.parametrize("dark", [False, True])
def test_figures_on_a_phone_have_their_legend_below_and_no_buttons_over_them(
    page, address, fitted, dark
):
    page.look(width=390, dark=dark)
    page.open(f"{address}/results/{fitted}")
    page.wait("document.documentElement.dataset.drawn", 60)
    found = page.wait(f"({FIGURES}).length && {FIGURES}")
    ink = page.run("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()")
    assert [f for f in found if f["bar"] or not f["below"] or not f["fits"]] == []
    assert {f["ink"] for f in found} == {ink}


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_on_pages_that_show_a_run(page, address, fitted, dark):
    page.look(width=1280, dark=dark)
    for path in (
        "/data/shop", "/configure/shop", "/run", f"/run/{fitted}", f"/results/{fitted}",
        "/budget?dataset_id=shop&wait=1", "/champions", "/forecast", f"/export/{fitted}",
    ):  # fmt: skip
        page.open(f"{address}{path}")
        page.wait("!document.querySelector('.loading')", MANY_SECONDS)
        assert axe_faults(page) == [], path


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_their_window_and_name_every_control(page, address, width, dark):
    page.look(width=width, dark=dark)
    for path in PAGES:
        page.open(f"{address}{path}")
        page.wait("!document.querySelector('.loading')", 60)
        assert page.run("document.documentElement.scrollWidth <= innerWidth"), (path, width)
        assert page.run(FAULTS_OF_ACCESS) == [], path
        if width == 1280:
            assert axe_faults(page) == [], path


def test_the_keyboard_alone_reaches_the_content_and_shows_where_it_is(page, address):
    page.open(address)
    page.press("Tab", 9)
    assert page.run("document.activeElement.textContent") == "Skip to the content"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Tab", 9)
    page.press("Tab", 9)
    assert page.run("document.activeElement.closest('nav') !== null")
