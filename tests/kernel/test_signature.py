"""The signature vectors of the public API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bpn.api import signing
from bpn.api.errors import InvalidSignature
from bpn.kernel.signature import sign

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "signatures.json").read_text())
SECRET = GOLDEN["secret"].encode()


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["request_content"][:40] or "empty")
def test_golden_vectors(vector: dict[str, str]) -> None:
    assert sign(SECRET, vector["request_content"].encode(), vector["timestamp"]) == vector["signature"]


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["request_content"][:40] or "empty")
def test_the_door_accepts_them(vector: dict[str, str]) -> None:
    headers = signing.SignatureHeaders("key", vector["timestamp"], vector["signature"])
    sent = vector.get("sent", vector["request_content"]).encode()
    if vector["method"] == "GET":
        signing.check_query_signature(headers, [SECRET], sent)
    else:
        signing.check_body_signature(headers, [SECRET], sent)


@pytest.mark.parametrize("query", [b"name=a%26b=c", b"name=a%3Db", b"a%3Db=c"])
def test_a_decoded_reading_that_is_ambiguous_is_refused(query: bytes) -> None:
    decoded = query.replace(b"%26", b"&").replace(b"%3D", b"=")
    headers = signing.SignatureHeaders("key", "1765454475759", sign(SECRET, decoded, "1765454475759"))
    with pytest.raises(InvalidSignature):
        signing.check_query_signature(headers, [SECRET], query)
