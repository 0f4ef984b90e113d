"""Keys are made once, kept from others, and never shown."""

import base64
import json
import stat

import pytest

from lab.cluster.gossip_key import gossip_file, gossip_key
from lab.core.errors import Refused


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "secrets"


def test_a_key_is_made_once_and_another_number_is_another_key(folder):
    first = gossip_key(1, folder)
    assert len(base64.b64decode(first.get_secret_value())) == 16
    assert gossip_key(1, folder) == first
    assert gossip_key(2, folder) != first


def test_only_its_owner_may_read_it(folder):
    gossip_key(1, folder)
    assert stat.S_IMODE((folder / "gossip-1.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in folder.iterdir()] == ["gossip-1.key"]


def test_neither_a_key_nor_a_file_with_one_shows_it(folder):
    key = gossip_key(1, folder)
    for hidden in (key, gossip_file(key, verify=True)):
        assert key.get_secret_value() not in f"{hidden!r} {hidden} {[hidden]} {json.dumps(str(hidden))}"


@pytest.mark.parametrize("content", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_what_is_no_key_is_refused_without_a_word_of_it(folder, content):
    folder.mkdir()
    (folder / "gossip-1.key").write_text(content)
    with pytest.raises(Refused) as caught:
        gossip_key(1, folder)
    assert not content or content not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    assert "rm " in caught.value.next_step


def test_a_half_made_key_of_a_killed_process_is_made_again(folder):
    folder.mkdir()
    for leftover in folder.parent, folder:
        (leftover / "gossip-1.12345").write_text("x")
    assert len(gossip_key(1, folder).get_secret_value()) == 24


@pytest.mark.parametrize("verify", [True, False])
def test_the_file_guards_both_ways_or_neither_and_keeps_no_keyring(folder, verify):
    key = gossip_key(1, folder)
    assert json.loads(gossip_file(key, verify=verify).get_secret_value()) == {
        "encrypt": key.get_secret_value(),
        "encrypt_verify_incoming": verify,
        "encrypt_verify_outgoing": verify,
        "disable_keyring_file": True,
    }
    assert gossip_file(None, verify=verify).get_secret_value() == "{}"
