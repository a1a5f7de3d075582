"""Email codes: sent over SMTP, good for a while, five tries and one use; guessed, late and old ones are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit.model import Decision
from bpn.controls import operations as controls
from bpn.controls.model import EMAIL_CODE_FOR, REGISTERED_EMAIL
from bpn.wiring.mail import mailbox_folder
from conftest import copy_database
from fiat import CREATE, PAYOUT, balance, fund, payout_body
from installation import Installation, Merchant, open_installation

SEND = "/v1/account/send-email-code"
WORD = Decision(True, "ana")


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def demand(house: Installation, merchant: Merchant, *scenes: str, registered: str | None = None) -> None:
    async with house.parts.database.transaction() as tx:
        who = merchant.merchant_id
        await controls.set_merchant_setting(tx, WORD, EMAIL_CODE_FOR, scenes, merchant_id=who)
        if registered is not None:
            await controls.set_merchant_setting(tx, WORD, REGISTERED_EMAIL, registered, merchant_id=who)


async def sent(house: Installation, address: str, count: int = 1) -> str:
    """The newest code in the mailbox of an address, once so many messages are there."""

    async def find() -> str | None:
        found = mailbox_folder(house.parts.settings).messages(address)
        return found[0].text if len(found) >= count else None

    code = re.search(r"\b([0-9]{6})\b", await house.until(find))
    assert code is not None
    return code[1]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_payout_needs_a_code_from_the_registered_address(house: Installation, merchant: Merchant) -> None:
    address = f"treasury-{merchant.merchant_id}@merchant.example"
    await fund(merchant, "100")
    await demand(house, merchant, "PAYOUT", registered=address)
    body = await payout_body(merchant, "10")
    missing = await merchant.order(PAYOUT, body)
    assert (missing.status, missing.code, missing.fields) == (403, "EMAIL_CODE_REQUIRED", ["emailCode"])
    elsewhere = await merchant.order(SEND, {"email": "thief@example.com", "scene": "PAYOUT"})
    assert (elsewhere.status, elsewhere.code) == (403, "EMAIL_NOT_REGISTERED")
    told = await merchant.post(SEND, {"email": address.upper(), "scene": "payout"})
    assert told == {"email": address, "scene": "PAYOUT", "expiresIn": 600}
    code = await sent(house, address)
    guessed = await merchant.order(PAYOUT, {**body, "emailCode": wrong(code)})
    assert (guessed.status, guessed.code) == (403, "EMAIL_CODE_INVALID")
    other_scene = await merchant.order(CREATE, {"currency": "EUR", "email": address, "emailCode": code})
    assert other_scene.code == "EMAIL_CODE_INVALID"
    accepted = await merchant.post(PAYOUT, {**body, "merchantOrderId": "coded", "emailCode": code})
    again = await merchant.post(PAYOUT, {**body, "merchantOrderId": "coded", "emailCode": code})
    assert again == accepted
    reused = await merchant.order(PAYOUT, {**body, "emailCode": code})
    assert reused.code == "EMAIL_CODE_INVALID"
    assert await balance(merchant) == ("90", "0")


async def test_five_wrong_tries_end_a_code(house: Installation, merchant: Merchant) -> None:
    address = f"guess-{merchant.merchant_id}@merchant.example"
    await demand(house, merchant, "CREATE_ACCOUNT")
    await merchant.post(SEND, {"email": address, "scene": "CREATE_ACCOUNT"})
    code = await sent(house, address)
    body = {"currency": "EUR", "email": address}
    for _ in range(5):
        assert (await merchant.order(CREATE, {**body, "emailCode": wrong(code)})).code == "EMAIL_CODE_INVALID"
    assert (await merchant.order(CREATE, {**body, "emailCode": code})).code == "EMAIL_CODE_INVALID"
    await merchant.post(SEND, {"email": address, "scene": "CREATE_ACCOUNT"})
    assert (await merchant.post(CREATE, {**body, "emailCode": await sent(house, address, 2)}))["status"] == "INIT"


async def test_a_refused_request_leaves_the_code_good(house: Installation, merchant: Merchant) -> None:
    address = f"again-{merchant.merchant_id}@merchant.example"
    await merchant.post(SEND, {"email": address, "scene": "CREATE_ACCOUNT"})
    code = await sent(house, address)
    refused = await merchant.order(CREATE, {"currency": "EUR", "rail": "PIX", "email": address, "emailCode": code})
    assert refused.code == "UNSUPPORTED_RAIL"
    assert (await merchant.order(CREATE, {"currency": "EUR", "email": address, "emailCode": code})).status == 200


async def test_an_address_is_not_flooded(merchant: Merchant) -> None:
    body = {"email": f"often-{merchant.merchant_id}@merchant.example", "scene": "ADD_BANK_ACCOUNT"}
    for _ in range(5):
        await merchant.post(SEND, body)
    answer = await merchant.order(SEND, body)
    assert (answer.status, answer.code) == (429, "RATE_LIMITED")
    assert 0 < int(answer.headers["retry-after"]) <= 3601


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "scene": "PAYOUT"}, "email"),
        ({"email": "a@b.example\nBcc: c@d.example", "scene": "PAYOUT"}, "email"),
        ({"email": "a@b.example", "scene": "LOGIN"}, "scene"),
    ],
)
async def test_bad_requests(merchant: Merchant, body: dict[str, object], field: str) -> None:
    answer = await merchant.order(SEND, body)
    assert (answer.status, answer.fields) == (400, [field])


async def test_a_code_is_old_after_ten_minutes_and_only_digests_stay(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with open_installation(copy_database(server), tmp_path) as house:
        merchant = await house.merchant()
        await merchant.post(SEND, {"email": "late@merchant.example", "scene": "CREATE_ACCOUNT"})
        code = await sent(house, "late@merchant.example")
        async with house.parts.database.reading() as tx:
            cursor = await tx.connection.execute("SELECT c::text, sealed_mail FROM email_codes c")
            ((row, sealed),) = await cursor.fetchall()
        assert sealed is None
        assert code not in row.strip("()").split(",")
        assert "merchant.example" not in row
        await merchant.post("/v1/mock/clock/advance", {"seconds": 601})
        answer = await merchant.order(CREATE, {"currency": "EUR", "email": "late@merchant.example", "emailCode": code})
        assert answer.code == "EMAIL_CODE_INVALID"
