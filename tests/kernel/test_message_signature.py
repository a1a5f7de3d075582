"""HTTP message signatures: the RFC's vectors, the base written by hand, and what does not pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver

from bpn.kernel import message_signature
from bpn.kernel.message_signature import (
    SignatureMismatchError,
    UnreadableSignatureError,
    read_parameters,
    read_public_key,
    sign_message,
    verify_message,
)

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "message_signatures.json").read_text())
URL = "https://api.example/v1/wallet/withdraw"
BODY = b'{"amount": "1"}'


def fields(*headers: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def golden_key(name: str) -> bytes | Ed25519PublicKey:
    if name == "shared_secret":
        return base64.b64decode(GOLDEN[name])
    return Ed25519PublicKey.from_public_bytes(read_public_key(GOLDEN[name]))


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
def test_the_vectors_of_the_rfc(vector: dict[str, str]) -> None:
    key = golden_key(vector["key"])
    key_id = vector["signature_input"].split('keyid="')[1].rstrip('"')

    def verify(signature: str, url: str) -> None:
        sent = [*GOLDEN["headers"], ["Signature-Input", vector["signature_input"]], ["Signature", signature]]
        HTTPMessageVerifier(
            signature_algorithm=message_signature._algorithm(key),
            key_resolver=MappingKeyResolver(public_keys={key_id: key}, private_keys={}),
        ).verify(
            message_signature._Message("POST", url, message_signature._Headers(fields(*map(tuple, sent)))),
            max_age=None,
        )

    verify(vector["signature"], GOLDEN["url"])
    with pytest.raises(InvalidSignature):
        verify(vector["signature"], GOLDEN["url"].replace("example.com", "example.org"))


def test_the_rfcs_private_key_belongs_to_its_public_one() -> None:
    private = load_pem_private_key(GOLDEN["ed25519_private_key"].encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    assert private.public_key().public_bytes_raw() == read_public_key(GOLDEN["ed25519_public_key"])


def test_what_is_signed_is_what_the_rfc_says() -> None:
    """The signature base written by hand, line by line."""
    headers = sign_message(
        "POST",
        URL,
        BODY,
        key_id="bpn_1",
        key=b"test-secret",
        created=datetime.fromtimestamp(1765454475, UTC),
        nonce="n-1",
    )
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    parameters = (
        '("@method" "@target-uri" "content-digest");created=1765454475;keyid="bpn_1";alg="hmac-sha256";nonce="n-1"'
        ';tag="bpn"'
    )
    lines = ['"@method": POST', f'"@target-uri": {URL}', f'"content-digest": sha-256=:{digest}:']
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    signature = base64.b64encode(hmac.new(b"test-secret", base.encode(), hashlib.sha256).digest()).decode()
    assert headers == {
        "Content-Digest": f"sha-256=:{digest}:",
        "Signature-Input": f"bpn={parameters}",
        "Signature": f"bpn=:{signature}:",
    }


def signed(**changes: object) -> dict[str, str]:
    given: dict[str, object] = {
        "key_id": "bpn_1",
        "key": b"secret",
        "created": datetime.fromtimestamp(time.time(), UTC),
        "nonce": "n-1",
    }
    return sign_message("POST", URL, BODY, **{**given, **changes})  # type: ignore[arg-type]


def check(
    headers: dict[str, str], method: str = "POST", url: str = URL, body: bytes | None = BODY, key: bytes = b"secret"
) -> None:
    sent = fields(*headers.items())
    verify_message(method, url, sent, body, read_parameters(sent), key, 300)


def test_a_good_signature_passes() -> None:
    check(signed())


@pytest.mark.parametrize(
    "changes",
    [{"method": "PUT"}, {"url": URL + "?a=b"}, {"url": URL.replace("https", "http")}, {"body": b"{}"}, {"key": b"x"}],
)
def test_another_message_or_key_does_not(changes: dict[str, str]) -> None:
    with pytest.raises(SignatureMismatchError):
        check(signed(), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("shift", [-301, 301])
def test_one_out_of_time_does_not(shift: int) -> None:
    with pytest.raises(SignatureMismatchError):
        check(signed(created=datetime.fromtimestamp(time.time() + shift, UTC)))


def test_a_body_needs_its_digest_covered() -> None:
    without = sign_message(
        "POST", URL, None, key_id="bpn_1", key=b"secret", created=datetime.fromtimestamp(time.time(), UTC), nonce="n"
    )
    with pytest.raises(SignatureMismatchError):
        check(without)
    with pytest.raises(SignatureMismatchError):
        check({**without, "Content-Digest": signed()["Content-Digest"]})


@pytest.mark.parametrize(
    "given",
    [
        "",
        "garbage(",
        "bpn=1",
        'bpn=("@method");created=1;nonce="n"',
        'bpn=("@method");keyid="k";nonce="n"',
        'bpn=("@method");created=1;keyid="k"',
        'bpn=("@method");created=1;keyid=k;nonce="n"',
        'bpn=("@method");created=1.5;keyid="k";nonce="n"',
        'bpn=("@method");created=1;keyid="k";nonce=""',
        'a=("@method");created=1;keyid="k";nonce="n", b=("@method");created=1;keyid="k";nonce="n"',
    ],
)
def test_what_cannot_be_read(given: str) -> None:
    with pytest.raises(UnreadableSignatureError):
        read_parameters([(b"signature-input", given.encode())])


def test_of_several_signatures_ours_is_taken() -> None:
    headers = signed()
    both = {
        **headers,
        "Signature-Input": headers["Signature-Input"] + ', proxy=("@method");created=1;keyid="other";nonce="n"',
        "Signature": headers["Signature"] + ", proxy=:AAAA:",
    }
    check(both)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_public_key(text)


def test_a_public_key_as_hex() -> None:
    raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert read_public_key(raw.hex()) == raw
