"""Where the master keys lie: in the settings, or in a file of the data directory. The newest first."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import structlog

from bpn.kernel.encryption import MASTER_KEY_BYTES
from bpn.settings import Settings

log = structlog.get_logger(__name__)


def read_master_keys(settings: Settings) -> list[bytes]:
    """The keys that open what is sealed; the first seals. One is made in the data directory where there is none."""
    others = [bytes.fromhex(key.get_secret_value()) for key in settings.other_master_keys]
    if settings.master_key is not None:
        return [bytes.fromhex(settings.master_key.get_secret_value()), *others]
    path = master_key_file(settings)
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        temporary = _written_beside(path, [secrets.token_bytes(MASTER_KEY_BYTES)])
        try:
            os.link(temporary, path)
        except FileExistsError:
            log.debug("master_key.made_by_another_process")
        temporary.unlink()
    return [*(bytes.fromhex(line) for line in path.read_text().split()), *others]


def write_master_keys(settings: Settings, keys: Sequence[bytes]) -> None:
    """Replace the keys in the data directory, in one step."""
    path = master_key_file(settings)
    _written_beside(path, keys).replace(path)


def master_key_file(settings: Settings) -> Path:
    """The file of the data directory that holds the keys, one a line, mode 0600."""
    return settings.data_dir / "master.key"


def _written_beside(path: Path, keys: Sequence[bytes]) -> Path:
    temporary = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("".join(f"{key.hex()}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return temporary
