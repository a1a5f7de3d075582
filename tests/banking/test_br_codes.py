"""BR Codes: the published payload, the round trip of any code, and images that a real decoder reads."""

from __future__ import annotations

import io
import json
import string
from pathlib import Path

import pytest
import resvg_py
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bpn.banking.br_codes import BrCode, InvalidBrCodeError, decode_br_code, encode_br_code, readable_ascii
from bpn.banking.qr_images import qr_png, qr_svg

VECTORS = json.loads((Path(__file__).parents[1] / "golden" / "pix.json").read_text())["payloads"]
NAMES = st.text(st.sampled_from(string.ascii_letters + string.digits + " .-"), min_size=1, max_size=15).filter(
    str.strip
)
TXIDS = st.none() | st.text(st.sampled_from(string.ascii_letters + string.digits), min_size=1, max_size=25)
AMOUNTS = st.none() | st.integers(0, 10**11).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
STATIC = st.builds(
    BrCode, NAMES, NAMES, key=st.emails().map(lambda email: email[:70]), amount=AMOUNTS, txid=TXIDS,
    description=st.none() | st.just("Order 12"),
).filter(lambda code: len(code.key or "") + len(code.description or "") < 70)  # fmt: skip
DYNAMIC = st.builds(BrCode, NAMES, NAMES, location=st.just("pix.example.com/v2/9d36b84f"), amount=AMOUNTS, txid=TXIDS)


@pytest.mark.parametrize("vector", VECTORS)
def test_the_published_payload(vector: dict[str, str]) -> None:
    code = decode_br_code(vector["payload"])
    assert (code.key, code.merchant_name, code.merchant_city) == (
        vector["key"],
        vector["merchantName"],
        vector["merchantCity"],
    )
    assert code.txid is None
    assert encode_br_code(code) == vector["payload"]


@given(STATIC | DYNAMIC)
def test_what_is_encoded_decodes_to_the_same(code: BrCode) -> None:
    assert decode_br_code(encode_br_code(code)) == code


@given(STATIC | DYNAMIC, st.data())
def test_no_altered_sign_goes_unnoticed(code: BrCode, data: st.DataObject) -> None:
    payload = encode_br_code(code)
    place = data.draw(st.integers(0, len(payload) - 1))
    signs = st.sampled_from(string.ascii_uppercase + string.digits)
    other = data.draw(signs.filter(lambda sign: sign != payload[place].upper()))
    with pytest.raises(InvalidBrCodeError):
        decode_br_code(payload[:place] + other + payload[place + 1 :])


@given(STATIC, st.integers(1, 40))
def test_a_cut_payload_is_refused(code: BrCode, cut: int) -> None:
    with pytest.raises(InvalidBrCodeError):
        decode_br_code(encode_br_code(code)[:-cut])


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(InvalidBrCodeError):
        decode_br_code(text)


@pytest.mark.parametrize(
    "code",
    [
        BrCode("Ana", "Recife"),
        BrCode("Ana", "Recife", key="k", location="l"),
        BrCode("A" * 26, "Recife", key="k"),
        BrCode("Ana", "São Paulo", key="k"),
        BrCode("Ana", "Recife", key="k", amount="1.234"),
        BrCode("Ana", "Recife", key="k", amount="-1"),
        BrCode("Ana", "Recife", key="k", txid="a b"),
        BrCode("Ana", "Recife", key="k", txid="a" * 26),
        BrCode("Ana", "Recife", key="k" * 77, description="d" * 40),
    ],
)
def test_what_makes_no_code_is_refused(code: BrCode) -> None:
    with pytest.raises(InvalidBrCodeError):
        encode_br_code(code)


def test_names_become_readable() -> None:
    assert readable_ascii("  Padaria São João  Ltda. & Filhos", 25) == "Padaria Sao Joao Ltda. &"


DYNAMIC_PAYLOAD = encode_br_code(BrCode("Ana", "Recife", location="p.example/1", amount="12.30", txid="T1"))


@pytest.mark.parametrize("payload", [VECTORS[0]["payload"], DYNAMIC_PAYLOAD], ids=["static", "dynamic"])
def test_a_decoder_reads_both_images(payload: str) -> None:
    drawn = resvg_py.svg_to_bytes(svg_string=qr_svg(payload).decode())
    for image in (qr_png(payload), drawn):
        (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(image)))
        assert (found.text, found.format) == (payload, zxingcpp.BarcodeFormat.QRCode)
