"""What holds for every page: who may see it, its policy, its errors, its files."""

import re
import warnings

import pytest

from flows.web.app import build_site
from flows.web.rendering import NAVIGATION
from tasks.store.tokens import Role, make_token, revoke_token

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client asks for a library that the lock lacks
    from starlette.testclient import TestClient


def test_what_is_served_is_pages_and_api_behind_one_door(home, door):
    with TestClient(build_site(door), base_url="http://127.0.0.1:8099") as browser:
        answers = {path: browser.get(path).status_code for path in ("/", "/api/v1/runs", "/health")}
        assert answers == {"/": 200, "/api/v1/runs": 200, "/health": 200}
        assert browser.get("/", headers={"host": "elsewhere.example"}).status_code >= 400


def test_a_page_lets_no_script_or_style_in_that_is_not_a_file_of_this_server(web):
    answer = web.get("/")
    policy = dict(part.strip().split(" ", 1) for part in
                  answer.headers["content-security-policy"].split(";"))  # fmt: skip
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\b(src|type=\"application/json\"))", answer.text)
    assert not re.search(r"\bstyle=|\bon[a-z]+=\"|https?://", answer.text)


def test_the_navigation_names_every_page_and_those_alone(web):
    linked = re.findall(r'<a href="([^"]+)"', web.page("/").partition("</nav>")[0])
    assert linked == [href for _, href in NAVIGATION]
    for href in linked:
        assert web.get(href).status_code == 200, href


def test_files_are_kept_by_their_content(web):
    address = re.search(r'src="(/static/app\.js[^"]+)"', web.page("/"))[1]
    kept = web.get(address)
    assert "immutable" in kept.headers["cache-control"]
    again = web.get("/static/app.js", headers={"if-none-match": kept.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" not in web.get("/static/app.js").headers["cache-control"]
    assert web.get("/static/../app.py").status_code == 404
    assert web.get("/static/secrets.css").status_code == 404


def test_plotly_comes_from_this_server(web):
    assert b"plotly.js v" in web.get("/static/plotly.js").content[:200]


def test_an_error_is_a_page_for_a_browser_and_a_document_for_a_program(web):
    page = web.page("/nothing", status=404)
    assert "There is nothing at /nothing" in page
    program = web.get("/nothing", headers={"accept": "application/json"})
    assert program.json()["status"] == 404
    assert web.get("/api/v1/runs/none").headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("proof", [None, "", "0" * 64])
def test_a_form_without_its_proof_changes_nothing(web, home, proof):
    web.page("/")
    answer = web.post("/demo", data={} if proof is None else {"csrf_token": proof})
    assert answer.status_code == 403
    assert "out of date" in answer.text
    assert not home.uploads.exists()


def test_a_proof_of_another_browser_is_refused(web):
    proof = web.proof("/sign-in")
    web.cookies.clear()
    assert web.post("/demo", data={"csrf_token": proof}).status_code == 403


def test_a_page_of_another_origin_changes_nothing(web):
    answer = web.submit("/demo", headers={"origin": "http://attacker.example"})
    assert answer.status_code == 403


class TestTokens:
    def test_a_browser_signs_in_once(self, web, home):
        token = make_token(home, "anna", Role.WRITE)
        refused = web.get("/?x=1", follow_redirects=False)
        assert (refused.status_code, refused.headers["location"]) == (
            303, "/sign-in?next=%2F%3Fx%3D1",
        )  # fmt: skip
        wrong = web.submit("/sign-in", {"token": "mmm_wrong", "next": "/"})
        assert wrong.status_code == 401
        assert "no token of this home" in wrong.text
        done = web.submit("/sign-in", {"token": token, "next": "/?x=1"})
        assert (done.status_code, done.headers["location"]) == (303, "/?x=1")
        cookie = next(c for c in done.headers.get_list("set-cookie") if "mmm_session" in c)
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Load the demo" in web.page("/")
        assert web.submit("/sign-out").status_code == 303
        assert web.get("/", follow_redirects=False).status_code == 303

    def test_a_revoked_token_ends_at_once(self, web, home):
        web.submit("/sign-in", {"token": make_token(home, "anna", Role.WRITE)})
        assert web.get("/", follow_redirects=False).status_code == 200
        revoke_token(home, "anna")
        make_token(home, "other", Role.READ)
        assert web.get("/", follow_redirects=False).status_code == 303

    def test_one_that_reads_sees_no_button_and_changes_nothing(self, web, home):
        web.submit("/sign-in", {"token": make_token(home, "anna", Role.READ)})
        page = web.page("/")
        assert "may read, not change" in page
        assert "Load the demo" not in page
        answer = web.submit("/demo")
        assert answer.status_code == 403

    @pytest.mark.parametrize("role", Role)
    def test_who_has_signed_in_can_sign_out(self, web, home, role):
        web.submit("/sign-in", {"token": make_token(home, "anna", role)})
        assert web.get("/", follow_redirects=False).status_code == 200
        assert web.post("/sign-out").status_code == 403  # without its proof
        assert web.submit("/sign-out").status_code == 303
        assert web.get("/", follow_redirects=False).status_code == 303

    def test_a_cookie_alone_changes_nothing_without_an_origin(self, web, home):
        web.submit("/sign-in", {"token": make_token(home, "anna", Role.WRITE)})
        assert web.delete("/api/v1/datasets/demo").status_code == 403
        with_origin = web.delete(
            "/api/v1/datasets/demo", headers={"origin": "http://127.0.0.1:8099"}
        )
        assert with_origin.status_code == 404

    @pytest.mark.parametrize(
        "target", ["//attacker.example", "http://attacker.example", "/\\attacker.example", ""]
    )
    def test_signing_in_leads_to_no_other_server(self, web, home, target):
        token = make_token(home, "anna", Role.WRITE)
        done = web.submit("/sign-in", {"token": token, "next": target})
        assert done.headers["location"] == "/"

    def test_a_program_gets_its_problem_and_files_stay_public(self, web, home):
        make_token(home, "anna", Role.WRITE)
        program = web.get("/", headers={"accept": "*/*"}, follow_redirects=False)
        assert program.status_code == 401
        assert web.get("/static/app.css").status_code == 200
        assert web.get("/api/v1/runs", follow_redirects=False).status_code == 401
