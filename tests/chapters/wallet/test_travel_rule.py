"""Travel-rule records: real deposits and withdrawals, and any details there may be, fit the rules of IVMS101."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import TransactionNotFound
from bpn.kernel.errors import InvalidState
from bpn.kernel.ivms101 import Person, Place, transfer_record
from installation import OUTSIDE, SENDER, Installation, Merchant

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "golden" / "ivms101.json").read_text()))
TEXT = st.text(min_size=1, max_size=300)
MAYBE = st.none() | TEXT
PLACE = st.builds(Place, MAYBE, MAYBE, MAYBE, MAYBE, st.none() | st.sampled_from(["mx", "BR"]))
NATURAL = st.builds(Person, st.none(), MAYBE, TEXT, st.none() | st.just("mx"), st.none() | PLACE, TEXT)
LEGAL = st.builds(Person, TEXT, st.none(), st.none(), st.none() | st.just("mx"), st.none() | PLACE, TEXT)


@given(NATURAL | LEGAL, NATURAL | LEGAL, MAYBE, MAYBE)
def test_whatever_is_known_makes_a_valid_record(
    originator: Person, beneficiary: Person, from_vasp: str | None, to_vasp: str | None
) -> None:
    SCHEMA.validate(
        transfer_record(
            originator, beneficiary, from_account="0x1", to_account=None, from_vasp=from_vasp, to_vasp=to_vasp
        )
    )


async def record_of(house: Installation, merchant: Merchant, transaction_id: str) -> dict[str, Any]:
    async with house.parts.database.transaction() as tx:
        record = await wallet.travel_rule_record(
            house.parts.wallet_terms,
            tx,
            merchant.merchant_id,
            int(transaction_id),
            merchant_name="Shop",
            platform_name="BPN",
        )
    SCHEMA.validate(record)
    return record


async def test_a_deposit_names_its_sender_and_a_withdrawal_its_recipient(house: Installation) -> None:
    merchant = await house.merchant()
    hash_ = await merchant.deposit("50")
    waiting = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    with pytest.raises(InvalidState):
        await record_of(house, merchant, waiting["transactionId"])
    details = {**SENDER, "address": "Rua A 1", "city": "Recife", "pinCode": "50000", "country": "br"}
    await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": waiting["transactionId"], **details})
    await house.until(lambda: merchant.record(hash=hash_, status="COMPLETED"))
    record = await record_of(house, merchant, waiting["transactionId"])
    (person,) = record["originator"]["originatorPersons"]
    assert person["naturalPerson"]["name"]["nameIdentifier"][0]["primaryIdentifier"] == SENDER["orgLastName"]
    assert person["naturalPerson"]["geographicAddress"][0]["townName"] == "Recife"
    assert person["naturalPerson"]["countryOfResidence"] == "BR"
    await merchant.whitelist()
    asked = await merchant.post("/v1/wallet/withdraw", merchant.withdrawal("10"))
    record = await record_of(house, merchant, asked["transactionId"])
    assert record["beneficiary"]["accountNumber"] == [OUTSIDE]
    assert record["originatingVASP"]["originatingVASP"]["legalPerson"]["name"]["nameIdentifier"] == [
        {"legalPersonName": "BPN", "legalPersonNameIdentifierType": "LEGL"}
    ]
    assert "beneficiaryVASP" not in record, "a wallet that its owner hosts"
    with pytest.raises(TransactionNotFound):
        await record_of(house, await house.merchant(), asked["transactionId"])
