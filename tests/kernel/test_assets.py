"""Fiat currencies: known ones with the minor units of ISO 4217."""

from __future__ import annotations

import pycountry

from bpn.kernel.assets import fiat_assets, find_fiat


def test_fiat_currencies_are_real_and_have_no_network() -> None:
    for asset in fiat_assets():
        assert pycountry.currencies.get(alpha_3=asset.currency) is not None
        assert asset.code == asset.currency
    assert [find_fiat("BRL"), find_fiat("JPY")] == [fiat_assets().by_code("BRL"), fiat_assets().by_code("JPY")]
    assert find_fiat("JPY").scale == 0  # type: ignore[union-attr]
    assert find_fiat("XXX") is None
