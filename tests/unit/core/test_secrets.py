"""Secrets hide, and are kept for their owner alone."""

import stat

import pytest
from pydantic import SecretStr

from lab.core.errors import Refused
from lab.core.secrets import Deployer, VaultKeys

KEYS = VaultKeys(
    unseal_key=SecretStr("the-key"),
    root_token=SecretStr("the-root"),
    deployer=Deployer(role_id=SecretStr("the-role"), secret_id=SecretStr("the-secret")),
)


@pytest.mark.parametrize("shown", [repr(KEYS), str(KEYS), f"{KEYS}", KEYS.model_dump_json(), str(KEYS.model_dump()), repr([KEYS.deployer])])
def test_no_form_of_a_key_shows_it(shown):
    assert "the-" not in shown


def test_they_come_back_whole_from_a_file_that_only_the_owner_reads(tmp_path):
    place = tmp_path / "vault.json"
    KEYS.keep(place)
    assert VaultKeys.recall(place) == KEYS
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [leaf.name for leaf in tmp_path.iterdir()] == ["vault.json"]


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_cannot(tmp_path):
    place = tmp_path / "vault.json"
    for left in (place, place.with_suffix(".draft")):
        left.write_text("left by a killed run")
        left.chmod(0o644)
    KEYS.keep(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_no_file_is_no_keys(tmp_path):
    assert VaultKeys.recall(tmp_path / "vault.json") is None


@pytest.mark.parametrize("text", ['{"unseal_key": "the-key"}', '{"unseal_key": "the-key", "root_token": 7}', "the-key"])
def test_a_broken_file_is_refused_without_quoting_it(tmp_path, text):
    place = tmp_path / "vault.json"
    place.write_text(text)
    with pytest.raises(Refused) as refused:
        VaultKeys.recall(place)
    assert "the-key" not in f"{refused.value}{refused.value!r}"
    assert refused.value.__cause__ is None
