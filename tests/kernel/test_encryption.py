"""Secrets at rest: sealed for one place, and only opened there."""

from __future__ import annotations

import pytest

from bpn.kernel.encryption import Cipher, DecryptionError


def test_opens_what_it_sealed_only_in_its_place() -> None:
    cipher = Cipher(bytes(32))
    sealed = cipher.seal(b"secret", "api_keys/1")
    assert b"secret" not in sealed
    assert cipher.open(sealed, "api_keys/1") == b"secret"
    with pytest.raises(DecryptionError):
        cipher.open(sealed, "api_keys/2")
    with pytest.raises(DecryptionError):
        Cipher(bytes(31) + b"1").open(sealed, "api_keys/1")


def test_the_same_secret_is_never_sealed_alike() -> None:
    cipher = Cipher(bytes(32))
    assert cipher.seal(b"secret", "place") != cipher.seal(b"secret", "place")


def test_a_digest_tells_equal_secrets_and_differs_by_key_and_place() -> None:
    cipher = Cipher(bytes(32))
    digest = cipher.digest(b"123456", "codes/1")
    assert digest == Cipher(bytes(32)).digest(b"123456", "codes/1")
    others = [cipher.digest(b"123457", "codes/1"), cipher.digest(b"123456", "codes/2")]
    others.append(Cipher(bytes(31) + b"1").digest(b"123456", "codes/1"))
    assert digest not in others
