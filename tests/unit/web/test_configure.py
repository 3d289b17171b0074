"""The run spec as a form and as YAML, both ways; priors in words and drawn."""

import html
import json
import re

import pytest

from flows.web import drafts, spec_form
from flows.web.prior_picture import describe_prior, draw_priors
from schemas.spec.channels import ChannelPrior
from schemas.spec.run_spec import RunSpec
from tasks.ingest import task_drafts, task_uploads
from tasks.store.tokens import Role, make_token

PLACE = "/configure/demo"


@pytest.fixture
def demo(web):
    """The demo, ready to be configured."""
    task_uploads.load_demo()
    task_drafts.save_demo_draft()
    return web


def form_of(page):
    """Every field of the form, as a browser would send it."""
    found = {}
    for name, value in re.findall(r'<input[^>]*? name="([^"]+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(html.unescape(value))
    for name in [n for n in found if n.endswith(".present")]:
        plain = name.removesuffix(".present")
        is_ticked = re.search(rf'name="{re.escape(plain)}" value="true" checked', page)
        found[plain] = ["true"] if is_ticked else []
    for name, inner in re.findall(r'<select id="f-[^"]+" name="([^"]+)".*?>(.*?)</select>', page,
                                  re.S):  # fmt: skip
        chosen = re.search(r'value="([^"]*)" selected', inner)
        found[name] = [chosen[1] if chosen else ""]
    for name, inner in re.findall(r'<textarea id="[^"]+" name="([^"]+)"[^>]*>(.*?)</textarea>',
                                  page, re.S):  # fmt: skip
        found[name] = [html.unescape(inner.removeprefix("\n"))]
    return found


def yaml_of(page):
    return task_drafts.parse_text(form_of(page)["text"][0])


def test_the_demo_is_shown_as_it_is_written(demo):
    page = demo.page(PLACE)
    assert "The run spec of the demo" in form_of(page)["text"][0]
    assert "data: panel.csv" not in page
    assert form_of(page)["model.adstock.l_max"] == ["8"]


def test_a_field_that_is_changed_changes_the_yaml(demo):
    form = form_of(demo.page(PLACE)) | {"model.adstock.l_max": ["12"], "kpi.currency": ["EUR"]}
    changed = demo.submit(PLACE, form | {"do": "show"}).text
    assert yaml_of(changed)["model"]["adstock"]["l_max"] == 12
    assert yaml_of(changed)["kpi"] == {"kind": "revenue", "currency": "EUR"}


def test_yaml_that_is_changed_changes_the_fields(demo):
    form = form_of(demo.page(PLACE))
    form["text"] = [form["text"][0].replace("l_max: 8", "l_max: 5")]
    changed = form_of(demo.submit(PLACE, form | {"do": "show"}).text)
    assert changed["model.adstock.l_max"] == ["5"]
    assert "# an effect lasts" in changed["text"][0]


@pytest.mark.parametrize("kind", ["mmm", "ridge", "log_student_t", "causal_gru"])
def test_a_run_spec_is_read_as_it_was_whatever_its_kind_takes_for_granted(kind):
    written = {"dataset_id": "demo", "model": {"kind": kind}}
    if kind == "log_student_t":
        written["feature_config"] = {}
    for sampler in ({}, {"draws": 1000, "chains": 4}, {"draws": 250, "chains": 2}):
        spec = drafts.parse("demo", json.dumps({**written, "sampler": sampler}))
        assert drafts.parse("demo", json.dumps(drafts.long_form(spec))) == spec


def test_what_is_saved_is_what_a_refit_reads(demo):
    form = form_of(demo.page(PLACE)) | {"model.yearly_seasonality": ["3"]}
    assert "Saved." in demo.submit(PLACE, form | {"do": "save"}).text
    kept = task_drafts.parse_text(task_drafts.find_draft("demo").text)
    assert kept["model"]["yearly_seasonality"] == 3


def test_a_form_in_which_nothing_was_changed_leaves_the_yaml_with_its_comments(demo):
    before = task_drafts.find_draft("demo").text
    assert "# an effect lasts" in before
    assert "Saved." in demo.submit(PLACE, form_of(demo.page(PLACE)) | {"do": "save"}).text
    assert task_drafts.find_draft("demo").text.strip() == before.strip()


def test_a_change_in_the_form_keeps_every_comment_that_is_not_of_what_it_removes(demo):
    before = task_drafts.find_draft("demo").text
    form = form_of(demo.page(PLACE)) | {
        "model.adstock.l_max": ["5"], "sampler.draws": ["500"], "kpi.currency": ["EUR"],
    }  # fmt: skip
    assert "Saved." in demo.submit(PLACE, form | {"do": "save"}).text
    kept = task_drafts.find_draft("demo").text
    comments = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    assert len(comments) > 10
    assert [words for words in comments if words not in kept] == []
    assert re.search(r"l_max: 5 +# an effect lasts", kept)
    assert task_drafts.parse_text(kept)["kpi"] == {"kind": "revenue", "currency": "EUR"}
    assert task_drafts.parse_text(kept)["sampler"]["draws"] == 500


def test_rows_that_are_added_and_removed_keep_the_comments_of_others(demo):
    text = task_drafts.find_draft("demo").text + (
        "channels:\n  - name: tv   # the one that pays\n    spend: spend_tv\n"
        "  - name: search\n    kind: paid  # by click\n    spend: spend_search\n"
    )
    form = form_of(demo.page(PLACE)) | {"text": [text]}
    form = form_of(demo.submit(PLACE, form | {"do": "show"}).text)
    added = form_of(demo.submit(PLACE, form | {"do": "add:channels"}).text)
    assert "# the one that pays" in added["text"][0]
    fewer = form_of(demo.submit(PLACE, form | {"do": "remove:channels.0"}).text)
    assert "# by click" in fewer["text"][0], fewer["text"][0]
    assert task_drafts.parse_text(fewer["text"][0])["channels"] == [
        {"name": "search", "kind": "paid", "spend": "spend_search"}
    ]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("model.adstock.l_max", "0", "greater than or equal to 1"),
        ("sampler.draws", "many", "valid integer"),
        ("model.kind", "mmmm", "mmm"),
    ],
)
def test_a_value_that_cannot_be_is_named_at_its_field_and_nothing_is_kept(demo, field, value, said):
    before = task_drafts.find_draft("demo").sha256
    form = form_of(demo.page(PLACE)) | {field: [value]}
    refused = demo.submit(PLACE, form | {"do": "save"})
    assert refused.status_code == 422
    fault = re.search(rf'id="f-{field.replace(".", "-")}-fault">([^<]+)', refused.text)
    assert said in html.unescape(fault[1])
    assert f'value="{value}"' in refused.text
    assert task_drafts.find_draft("demo").sha256 == before


@pytest.mark.parametrize(
    "text",
    ["a: [", "- 1", "a: 1\na: 2", "dataset_id: demo\ndata: /etc/passwd", "x" * 50, ""],
)
def test_yaml_that_is_no_run_spec_is_refused_and_kept_as_it_was_typed(demo, text):
    form = form_of(demo.page(PLACE)) | {"text": [text], "do": "save"}
    refused = demo.submit(PLACE, form)
    assert refused.status_code == 422
    assert "cannot be used yet" in refused.text
    assert form_of(refused.text)["text"][0].rstrip("\n") == text


def test_rows_are_added_and_removed(demo):
    form = form_of(demo.page(PLACE))
    written = demo.submit(PLACE, form | {"do": "expand"}).text
    names = [channel["name"] for channel in yaml_of(written)["channels"]]
    assert names == ["tv", "search", "social", "display", "radio"]
    less = demo.submit(PLACE, form_of(written) | {"do": "remove:channels.1"}).text
    assert [c["name"] for c in yaml_of(less)["channels"]] == ["tv", "social", "display", "radio"]
    more = demo.submit(PLACE, form_of(less) | {"do": "add:model.events"})
    assert "model.events.0.name" in form_of(more.text)


def test_a_prior_is_said_in_words_and_drawn(demo):
    written = demo.submit(PLACE, form_of(demo.page(PLACE)) | {"do": "expand"}).text
    form = form_of(written) | {"channels.0.prior.median": ["0.05"]}
    page = demo.submit(PLACE, form | {"do": "show"}).text
    assert yaml_of(page)["channels"][0]["prior"] == {"median": 0.05}
    assert "tv: about 5.0\N{NO-BREAK SPACE}% of the KPI" in page
    assert "<polygon" in page


def test_the_ends_of_a_prior_are_those_of_a_log_normal():
    # exp(0.6745 * ln 2) = 1.596, exp(1.96 * ln 2) = 3.891
    prior = ChannelPrior(quantity="roas", median=2, spread=0.693147)
    assert describe_prior("tv", prior) == (
        "tv: about 2.00 ROAS; as likely as not between 1.25 and 3.19, and nineteen times of twenty "
        "between 0.51 and 7.78."
    )


def test_priors_of_two_quantities_have_an_axis_each():
    spec = RunSpec(
        dataset_id="d",
        channels=[
            {"name": "a", "spend": "a", "prior": {"median": 0.1}},
            {"name": "b", "spend": "b", "prior": {"quantity": "roas", "median": 2}},
            {"name": "c", "activity": "c", "kind": "competitor", "prior": {"median": -0.1}},
        ],
    )
    share, roas = draw_priors(spec)
    assert [bell.channel for bell in share.bells] == ["a", "c"]
    assert [bell.channel for bell in roas.bells] == ["b"]
    assert share.bells[0].low < share.bells[0].middle < share.bells[0].high


def test_a_form_that_says_nothing_new_changes_nothing():
    document = {"dataset_id": "d", "gates": {"promote_on_review": True},
                "channels": [{"name": "tv", "spend": "s", "adstock": {"l_max": 4}}]}  # fmt: skip
    fields = {"channels.row": ["0"]}
    for block in spec_form.fill(document, {}):
        for each in [*block.fields, *(f for row in block.rows for f in row)]:
            fields[each.name] = [each.value]
            fields[f"{each.name}.present"] = ["1"]
    assert spec_form.read(document, fields) == document


def test_one_that_reads_sees_the_run_spec_and_no_button_that_would_be_refused(demo, home):
    demo.submit("/sign-in", {"token": make_token(home, "anna", Role.READ)})
    page = demo.page(PLACE)
    assert "The run spec of the demo" in page
    assert re.findall(r'<button[^>]*name="do"', page) == []
    assert "data-live" not in page


def test_no_dataset_says_what_to_do(web):
    assert "No dataset yet" in web.page("/configure")
