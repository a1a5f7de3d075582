"""Accounts for sub users: those that are shared must be approved; others only where the operator asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from conftest import copy_database
from fiat import CREATE, open_account
from installation import Installation, Merchant, open_installation


def sharing(partner_user_id: str, first_name: str = "Ana") -> dict[str, Any]:
    address = {"line1": "Rua Azul 1", "city": "Recife", "country": "BR", "postal_code": "50000-000"}
    return {
        "request_id": f"share-{partner_user_id}",
        "partner_user_id": partner_user_id,
        "customer_type": "INDIVIDUAL",
        "sharing_scenario": "ON_RAMP",
        "kyc_info": {
            "first_name": first_name,
            "last_name": "Sousa",
            "email": "ana@example.com",
            "mobile_number": "+5511987654321",
            "date_of_birth": "1990-01-31",
            "nationality": "BR",
            "id_type": "PASSPORT",
            "id_number": "FX123456",
            "residential_address": address,
            "account_purpose": "Sales",
            "occupation": "Designer",
        },
    }


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def status(merchant: Merchant, partner_user_id: str, wanted: str) -> dict[str, Any] | None:
    found = await merchant.get("/v1/kyb/user", partnerUserId=partner_user_id)
    return found if found["status"] == wanted else None


async def test_one_that_is_shared_must_be_approved(house: Installation, merchant: Merchant) -> None:
    await merchant.post("/v1/kyb/share", sharing("user-1"))
    early = await merchant.order(CREATE, {"currency": "EUR", "subUserId": "user-1"})
    assert (early.status, early.code) == (403, "KYB_REQUIRED")
    approved = await house.until(lambda: status(merchant, "user-1", "APPROVED"))
    by_ours = await open_account(merchant, "EUR", subUserId=approved["subUserId"])
    by_theirs = await open_account(merchant, "EUR", subUserId="user-1")
    assert (by_ours["subUserId"], by_theirs["subUserId"]) == (approved["subUserId"], "user-1")
    await open_account(merchant, "EUR", subUserId="never shared")


async def test_another_merchants_sub_user_is_nobody_here(house: Installation, merchant: Merchant) -> None:
    await merchant.post("/v1/kyb/share", sharing("user-2"))
    other = await house.merchant()
    assert (await other.order(CREATE, {"currency": "EUR", "subUserId": "user-2"})).status == 200


async def test_where_the_operator_asks_for_it_everybody_must_be(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with open_installation(copy_database(server), tmp_path, sub_user_needs_kyb=True) as house:
        merchant = await house.merchant()
        answer = await merchant.order(CREATE, {"currency": "EUR", "subUserId": "never shared"})
        assert (answer.status, answer.code, answer.fields) == (403, "KYB_REQUIRED", ["subUserId"])
        assert (await merchant.order(CREATE, {"currency": "EUR"})).status == 200
