"""QR codes as images."""

from __future__ import annotations

import io

import segno

_SCALE = 8
_BORDER = 4


def qr_png(text: str) -> bytes:
    """A PNG of a text as a QR code, with error correction M and the quiet zone that the standard asks for."""
    image = io.BytesIO()
    _code(text).save(image, kind="png", scale=_SCALE, border=_BORDER)
    return image.getvalue()


def qr_svg(text: str) -> bytes:
    """As `qr_png`, as a standalone SVG on white."""
    image = io.BytesIO()
    _code(text).save(image, kind="svg", scale=_SCALE, border=_BORDER, light="#fff", svgns=True)
    return image.getvalue()


def _code(text: str) -> segno.QRCode:
    return segno.make(text, error="m", micro=False)
