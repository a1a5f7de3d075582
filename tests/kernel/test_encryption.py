"""Secrets at rest: sealed for one place, opened there only, by any key of the ring."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bpn.kernel.encryption import Cipher, DecryptionError

OLD, NEW, OTHER = bytes(32), bytes(31) + b"1", bytes(31) + b"2"


def test_opens_what_it_sealed_only_in_its_place() -> None:
    cipher = Cipher(OLD)
    sealed = cipher.seal(b"secret", "api_keys/1")
    assert b"secret" not in sealed
    assert cipher.open(sealed, "api_keys/1") == b"secret"
    with pytest.raises(DecryptionError):
        cipher.open(sealed, "api_keys/2")
    with pytest.raises(DecryptionError):
        Cipher(NEW).open(sealed, "api_keys/1")


def test_the_same_secret_is_never_sealed_alike() -> None:
    cipher = Cipher(OLD)
    assert cipher.seal(b"secret", "place") != cipher.seal(b"secret", "place")


@pytest.mark.parametrize("change", [b"", b"\x02", b"\x02123", b"\x01"])
def test_what_was_cut_off_does_not_open(change: bytes) -> None:
    with pytest.raises(DecryptionError):
        Cipher(OLD).open(change, "place")


def test_every_bit_counts() -> None:
    cipher = Cipher(OLD)
    sealed = cipher.seal(b"secret", "place")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(DecryptionError):
            cipher.open(changed, "place")


def test_the_first_of_the_ring_seals_and_all_open() -> None:
    former = Cipher(OLD).seal(b"former", "place")
    ring = Cipher(NEW, OLD)
    assert ring.open(former, "place") == b"former"
    now = ring.seal(b"now", "place")
    assert now.startswith(ring.header)
    assert not former.startswith(ring.header)
    assert Cipher(NEW).open(now, "place") == b"now"
    with pytest.raises(DecryptionError):
        Cipher(OLD).open(now, "place")


def test_what_was_sealed_before_keys_had_names_still_opens() -> None:
    nonce = bytes(12)
    nameless = b"\x01" + nonce + AESGCM(OLD).encrypt(nonce, b"secret", b"place")
    assert Cipher(NEW, OTHER, OLD).open(nameless, "place") == b"secret"
    with pytest.raises(DecryptionError):
        Cipher(NEW, OTHER).open(nameless, "place")


def test_a_key_that_is_not_known_yet_is_looked_for() -> None:
    keys = [OLD]
    cipher = Cipher(*keys, reread=lambda: keys)
    keys.insert(0, NEW)
    assert cipher.open(Cipher(NEW).seal(b"secret", "place"), "place") == b"secret"
    assert cipher.header == Cipher(NEW).header


@pytest.mark.parametrize("keys", [(), (b"short",), (OLD, b"short")])
def test_what_is_no_key(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher(*keys)


def test_a_digest_tells_equal_secrets_and_differs_by_key_and_place() -> None:
    cipher = Cipher(OLD)
    digest = cipher.digest(b"123456", "codes/1")
    assert digest == Cipher(OLD).digest(b"123456", "codes/1")
    others = [cipher.digest(b"123457", "codes/1"), cipher.digest(b"123456", "codes/2")]
    others.append(Cipher(NEW).digest(b"123456", "codes/1"))
    assert digest not in others


def test_a_digest_outlives_its_master_key() -> None:
    before = Cipher(OLD)
    after = Cipher(NEW, OLD)
    after.digest_key = before.digest_key
    assert after.digest(b"123456", "codes/1") == before.digest(b"123456", "codes/1")
