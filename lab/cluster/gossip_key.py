"""Keys for gossip: made once per lab, kept in files that only their owner reads, and never shown.

A key is a `SecretStr`: its repr and its text are asterisks, and only what writes it to the cluster asks for its value.
"""

import base64
import contextlib
import json
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from lab.core import paths
from lab.core.errors import Refused

FOLDER = paths.STATE / "secrets"
KEY_BYTES = 16
"""AES-128, what `consul keygen` of 1.2.2 made (its command/keygen); every version takes it."""


def gossip_key(number: int, folder: Path | None = None) -> SecretStr:
    """The lab's first, second, ... key in base64; made when it is first asked for. `folder` is `FOLDER` when left out.

    Raises:
        Refused: it cannot be kept, or the file holds something else.
    """
    place = (folder or FOLDER) / f"gossip-{number}.key"
    try:
        if not place.exists():
            _make(place)
        text = place.read_text(encoding="ascii")
        whole = len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (OSError, ValueError) as error:
        raise Refused(
            f"use the gossip key {place}", type(error).__name__, f"rm {place}"
        ) from None  # the file's content is nobody's business
    if not whole:
        raise Refused(f"use the gossip key {place}", f"it has not {KEY_BYTES} bytes", f"rm {place}")
    return SecretStr(text)


def gossip_file(key: SecretStr | None, *, verify: bool) -> SecretStr:
    """The configuration that servers and agents read.

    Args:
        key: None leaves gossip unguarded.
        verify: refuse what is not encrypted, and encrypt what is sent; without it a key changes nothing for those who have none.
    """
    if key is None:
        return SecretStr("{}")
    settings = {
        "encrypt": key.get_secret_value(),
        "encrypt_verify_incoming": verify,
        "encrypt_verify_outgoing": verify,
        "disable_keyring_file": True,  # else a key that an earlier start kept would win over this one
    }
    return SecretStr(json.dumps(settings))


def _make(place: Path) -> None:
    """Whole or not at all: written under another name, then renamed."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, base64.b64encode(secrets.token_bytes(KEY_BYTES)))
        os.fsync(file)
    finally:
        os.close(file)
    draft.replace(place)
