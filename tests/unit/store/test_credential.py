"""The credential of a home is made once, is its owner's alone, and is never told."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from flows.services import servers
from schemas.errors import StorageError
from tasks.store.credential import api_credential, credential_path


def test_it_is_made_once_and_only_its_owner_reads_it(home):
    first = api_credential(home)
    assert api_credential(home) == first
    user, _, password = first.partition(":")
    assert user == "steady-mmm"
    assert len(password) >= 43  # 32 random bytes
    assert stat.S_IMODE(credential_path(home).stat().st_mode) == 0o600
    assert stat.S_IMODE(credential_path(home).parent.stat().st_mode) == 0o700


def test_two_that_start_at_once_share_it(home):
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: api_credential(home), range(32)))
    assert len(made) == 1
    assert [p.name for p in credential_path(home).parent.iterdir()] == ["api_auth"]


def test_homes_do_not_share_one(home, tmp_path):
    other = type(home)(tmp_path / "other")
    assert api_credential(home) != api_credential(other)


def test_a_file_that_others_read_is_closed(home):
    made = api_credential(home)
    credential_path(home).chmod(0o644)
    assert api_credential(home) == made
    assert stat.S_IMODE(credential_path(home).stat().st_mode) == 0o600


def test_a_link_is_not_followed(home, tmp_path):
    path = credential_path(home)
    path.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").write_text("mmm:known to an attacker")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match=r"cannot be read.*Remove"):
        api_credential(home)


@pytest.mark.parametrize("text", ["", "\n", "no-colon", "steady-mmm:"])
def test_a_damaged_file_is_reported_without_its_text(home, text):
    path = credential_path(home)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(StorageError, match="damaged") as caught:
        api_credential(home)
    assert not text.strip() or text not in str(caught.value).replace(str(path), "")


@pytest.mark.parametrize("address", ["http://127.0.0.1:4200/api", "http://localhost:4200/api"])
def test_a_server_on_loopback_is_shown_it(home, monkeypatch, address):
    monkeypatch.setenv("PREFECT_API_URL", address)
    monkeypatch.delenv(servers.AUTH_VARIABLE, raising=False)
    servers.present_credential()
    assert os.environ[servers.AUTH_VARIABLE] == api_credential(home)


@pytest.mark.parametrize(
    "address", ["https://prefect.example.com/api", "http://127.0.0.1.attacker.example/api", ""]
)
def test_a_server_elsewhere_never_gets_it(home, monkeypatch, address):
    monkeypatch.setenv("PREFECT_API_URL", address)
    monkeypatch.delenv(servers.AUTH_VARIABLE, raising=False)
    servers.present_credential()
    assert servers.AUTH_VARIABLE not in os.environ


def test_what_the_user_has_set_wins(home, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    monkeypatch.setenv(servers.AUTH_VARIABLE, "me:mine")
    servers.present_credential()
    assert os.environ[servers.AUTH_VARIABLE] == "me:mine"
