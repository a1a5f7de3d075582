"""Sub users: shared in the public sample's spelling, decided by rule or by a person, sealed, exported, erased."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.kyb import operations as kyb
from bpn.chapters.kyb.errors import KybRequired, SubUserNotFound
from bpn.files import operations as files
from bpn.files.errors import FileNotFound
from bpn.kernel.errors import InvalidRequest, InvalidState
from conftest import copy_database
from installation import Installation, Merchant, open_installation, receiving

SHARE = "/v1/kyb/share"
USER = "/v1/kyb/user"
ADDRESS = {
    "line1": "Rua A 1", "line2": "", "city": "Recife", "region": "PE", "postal_code": "50000-000", "country": "BR",
    "full_address": "Rua A 1, Recife",
}  # fmt: skip
PERSON: dict[str, Any] = {
    "mobile_number": "+5581987654321", "email": "ana@example.com", "first_name": "Ana", "last_name": "Sousa",
    "date_of_birth": "1990-12-31", "nationality": "BR", "id_type": "PASSPORT", "id_number": "FR123456",
    "residential_address": ADDRESS, "account_purpose": "SAVINGS", "occupation": "Baker",
}  # fmt: skip
COMPANY: dict[str, Any] = {
    "entity_details": {
        "business_name_en": "Padaria Ltda", "business_name_zh": "面包店",
        "registered_business_number": "16727230000197",
        "certificate_of_incorporation_number": "77", "place_of_incorporation": "Recife",
        "registered_country_region": "BRA", "business_type": "LIMITED", "company_incorporation_date": "2010-01-02",
        "registered_address": ADDRESS, "primary_operating_place": "Recife", "primary_operating_address": ADDRESS,
        "is_regulated_financial_institution": False, "is_listed_company": False,
        "is_government_owned_enterprise": False, "legal_entity_identifier": "", "office_phone_number": "+558133334444",
        "email": "office@example.com",
    },
    "business_details": {
        "industry_nature_of_business": "Bakery", "locations_of_business": ["BR"], "industry_details": "Bread",
        "years_in_business": 16, "sales_turnover_previous_year": 1250000.5,
    },
    "financial_profile": {
        "initial_source_of_funds": "Savings", "place_of_source_of_funds": "BR", "recurring_source_of_funds": "Sales",
        "estimated_total_net_assets_usd": "500000", "estimated_net_liquid_assets_usd": 1000,
    },
}  # fmt: skip
PDF = b"%PDF-1.7\nAna Sousa FR123456\n%%EOF\n"


def person(partner: str = "user-1", **other: object) -> dict[str, object]:
    return {
        "request_id": f"kyb-{partner}", "partner_user_id": partner, "customer_type": "INDIVIDUAL",
        "sharing_scenario": "ON_RAMP", "kyc_info": PERSON, **other,
    }  # fmt: skip


def document(content: bytes = PDF, content_type: str = "application/pdf") -> dict[str, object]:
    encoded = base64.b64encode(content).decode()
    return {"type": "PASSPORT", "name": "passport.pdf", "content_type": content_type, "base64": encoded}


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def decided(house: Installation, merchant: Merchant, partner: str, status: str) -> dict[str, Any]:
    async def find() -> dict[str, Any] | None:
        found: dict[str, Any] = await merchant.get(USER, partnerUserId=partner)
        return found if found["status"] == status else None

    found: dict[str, Any] = await house.until(find)
    return found


async def shared(house: Installation, merchant: Merchant, status: str = "APPROVED", **other: object) -> int:
    """A sub user all the way to a state; its id."""
    answer = await merchant.post(SHARE, person(**other))  # type: ignore[arg-type]
    await decided(house, merchant, answer["partnerUserId"], status)
    return int(answer["subUserId"])


class TestShare:
    async def test_a_person_in_the_public_spelling(self, house: Installation) -> None:
        async with receiving() as receiver:
            merchant = await house.merchant(receiver.url)
            receiver.secret = merchant.api_secret
            answer = await merchant.post(SHARE, person())
            assert list(answer) == [
                "subUserId", "partnerUserId", "status", "updateTime", "pendingActions", "rejectReasons"
            ]  # fmt: skip
            assert (answer["partnerUserId"], answer["status"]) == ("user-1", "PENDING")
            approved = await decided(house, merchant, "user-1", "APPROVED")
            assert approved["subUserId"] == answer["subUserId"]
            assert await merchant.get(USER, subUserId=answer["subUserId"]) == approved

            async def told() -> bool:
                return {event["status"] for event in receiver.of("KYB_STATUS")} == {"PENDING", "APPROVED"}

            await house.until(told)
            (event,) = receiver.of("KYB_STATUS", "APPROVED")
            assert (event["referenceId"], event["data"]) == (answer["subUserId"], approved)
            assert "Sousa" not in json.dumps(receiver.received)

    async def test_a_company_with_owners_and_documents(self, house: Installation, merchant: Merchant) -> None:
        body = {
            "partner_user_id": "company-1", "customer_type": "CORPORATE", "kyb_info": COMPANY,
            "owners": [{"first_name": "Ana", "last_name": "Sousa", "ownership_percent": 60.5}],
            "documents": [document()],
        }  # fmt: skip
        answer = await merchant.post(SHARE, body)
        await decided(house, merchant, "company-1", "APPROVED")
        async with house.parts.database.transaction() as tx:
            case = await kyb.find_case(house.parts.kyb_terms, tx, int(answer["subUserId"]))
        assert case.profile is not None
        details = case.profile["kyb_info"]["business_details"]
        assert (details["years_in_business"], details["sales_turnover_previous_year"]) == ("16", "1250000.5")
        assert case.profile["kyb_info"]["entity_details"]["business_name_zh"] == "面包店"
        ((kind, file),) = case.documents
        assert (kind, file.name, file.content_type) == ("PASSPORT", "passport.pdf", "application/pdf")

    async def test_the_same_request_happens_once_and_other_content_is_refused(self, merchant: Merchant) -> None:
        first = await merchant.post(SHARE, person())
        assert await merchant.post(SHARE, person()) == first
        changed = await merchant.order(SHARE, person(kyc_info={**PERSON, "first_name": "Eva"}))
        assert (changed.status, changed.code) == (409, "IDEMPOTENCY_CONFLICT")

    async def test_twenty_at_once_make_one_sub_user(self, merchant: Merchant) -> None:
        bodies = [{**person(), "request_id": f"r-{place}"} for place in range(20)]
        answers = await asyncio.gather(*(merchant.order(SHARE, body) for body in bodies))
        assert {answer.status for answer in answers} <= {200, 409}
        assert len({answer.data["subUserId"] for answer in answers if answer.status == 200}) == 1

    async def test_decided_ones_are_not_shared_again(self, house: Installation, merchant: Merchant) -> None:
        await shared(house, merchant)
        again = await merchant.order(SHARE, person(request_id="again"))
        assert (again.status, again.code) == (409, "INVALID_STATE")

    @pytest.mark.parametrize(
        ("change", "fields"),
        [
            ({"partner_user_id": None}, ["partner_user_id"]),
            ({"customer_type": "ROBOT"}, ["customer_type"]),
            ({"kyc_info": None}, ["kyc_info"]),
            ({"customer_type": "CORPORATE"}, ["kyb_info"]),
            ({"kyc_info": {**PERSON, "first_name": ""}}, ["kyc_info.first_name"]),
            ({"kyc_info": {**PERSON, "date_of_birth": "31.12.1990"}}, ["kyc_info.date_of_birth"]),
            ({"kyc_info": {**PERSON, "date_of_birth": "2999-01-01"}}, ["kyc_info.date_of_birth"]),
            ({"kyc_info": {**PERSON, "nationality": "XX"}}, ["kyc_info.nationality"]),
            ({"kyc_info": {**PERSON, "email": "nobody"}}, ["kyc_info.email"]),
            ({"documents": [document(content_type="image/png")]}, ["documents[0].content_type"]),
            ({"documents": [document(), document(b"MZ")]}, ["documents[1].base64"]),
            ({"documents": [document()] * 6}, ["documents"]),
        ],
    )
    async def test_refuses_with_the_fields_name(
        self, merchant: Merchant, change: dict[str, object], fields: list[str]
    ) -> None:
        answer = await merchant.order(SHARE, person(**change))
        assert (answer.status, answer.code, answer.fields) == (400, "INVALID_REQUEST", fields)
        assert (await merchant.ask(USER, partnerUserId="user-1")).status == 404


class TestStatus:
    async def test_refuses(self, house: Installation, merchant: Merchant) -> None:
        sub_user = await shared(house, merchant)
        assert (await merchant.ask(USER)).fields == ["partnerUserId"]
        assert (await merchant.ask(USER, partnerUserId="user-1", subUserId=sub_user)).status == 400
        assert (await merchant.ask(USER, partnerUserId="nobody")).code == "SUB_USER_NOT_FOUND"
        other = await house.merchant()
        for query in ({"partnerUserId": "user-1"}, {"subUserId": sub_user}):
            answer = await other.ask(USER, **query)
            assert (answer.status, answer.code) == (404, "SUB_USER_NOT_FOUND")

    async def test_only_an_approved_one_counts_and_only_for_its_merchant(
        self, house: Installation, merchant: Merchant
    ) -> None:
        approved = await shared(house, merchant)
        rejected = await shared(
            house, merchant, "REJECTED", partner="user-2", kyc_info={**PERSON, "last_name": "Reject"}
        )
        other = await house.merchant()
        async with house.parts.database.transaction() as tx:
            assert (await kyb.check_approved(tx, merchant.merchant_id, approved)).sub_user_id == approved
            for merchant_id, sub_user in (
                (merchant.merchant_id, rejected),
                (merchant.merchant_id, 1),
                (other.merchant_id, approved),
            ):
                with pytest.raises(KybRequired):
                    await kyb.check_approved(tx, merchant_id, sub_user)


class TestDecide:
    @pytest.mark.parametrize(
        ("last_name", "status"),
        [("Sousa", "APPROVED"), ("Reject", "REJECTED"), ("Needmore", "NEED_MORE"), ("Review", "REVIEWING")],
    )
    async def test_a_name_decides_in_the_sandbox(
        self, house: Installation, merchant: Merchant, last_name: str, status: str
    ) -> None:
        await merchant.post(SHARE, person(kyc_info={**PERSON, "last_name": last_name}))
        found = await decided(house, merchant, "user-1", status)
        assert bool(found["rejectReasons"]) == (status == "REJECTED")
        assert bool(found["pendingActions"]) == (status == "NEED_MORE")

    async def test_what_is_asked_is_answered_by_sharing_again(self, house: Installation, merchant: Merchant) -> None:
        sub_user = await shared(house, merchant, "REVIEWING", kyc_info={**PERSON, "last_name": "Review"})
        async with house.parts.database.transaction() as tx:
            assert sub_user in {one.sub_user_id for one in await kyb.list_reviewing(tx)}
            await kyb.ask_for_more(tx, sub_user, Decision(True, "ana", "unreadable"), ["A readable passport."])
        waiting = await merchant.get(USER, partnerUserId="user-1")
        assert (waiting["status"], waiting["pendingActions"]) == ("NEED_MORE", ["A readable passport."])
        answer = await merchant.post(SHARE, person(request_id="second", documents=[document()]))
        assert (answer["status"], answer["pendingActions"]) == ("PENDING", [])
        assert int(answer["subUserId"]) == sub_user
        await decided(house, merchant, "user-1", "APPROVED")
        async with house.parts.database.transaction() as tx:
            await kyb.decide_kyb(tx, sub_user, Decision(False, "bob", "Found on a list."))
            entries = [entry for entry in await audit.list_entries(tx) if entry.subject_id == sub_user]
        told = [(entry.actor, entry.action, entry.before, entry.after, entry.reason) for entry in entries]
        assert told == [
            ("bob", "kyb.reject", "APPROVED", "REJECTED", "Found on a list."),
            ("ana", "kyb.ask", "REVIEWING", "NEED_MORE", "unreadable"),
        ]
        assert (await merchant.get(USER, partnerUserId="user-1"))["rejectReasons"] == ["Found on a list."]

    async def test_refuses(self, house: Installation, merchant: Merchant) -> None:
        sub_user = await shared(house, merchant)
        yes, no = Decision(True, "ana"), Decision(False, "ana")
        for refusal, subject, decision in (
            (InvalidState, sub_user, yes),
            (InvalidRequest, sub_user, no),
            (SubUserNotFound, 1, yes),
        ):
            with pytest.raises(refusal):
                async with house.parts.database.transaction() as tx:
                    await kyb.decide_kyb(tx, subject, decision)
        with pytest.raises(InvalidRequest):
            async with house.parts.database.transaction() as tx:
                await kyb.ask_for_more(tx, sub_user, yes, [])

    async def test_a_decision_is_on_what_was_screened(self, house: Installation, merchant: Merchant) -> None:
        await merchant.post(SHARE, person())
        async with house.parts.database.transaction() as tx:
            cases = await kyb.list_screening(house.parts.kyb_terms, tx, 100)
        await merchant.post(SHARE, person(request_id="corrected", kyc_info={**PERSON, "last_name": "Reject"}))
        (case,) = [one for one in cases if one.sub_user.merchant_id == merchant.merchant_id]
        async with house.parts.database.transaction() as tx:
            late = await kyb.record_screening(house.parts.kyb_terms, tx, case, hit=False, reason=None)
        assert late is None
        await decided(house, merchant, "user-1", "REJECTED")


async def test_a_person_decides_where_no_rule_does_and_on_every_hit(server: EmbeddedPostgres, tmp_path: Path) -> None:
    options = {"kyb_automatic": False, "blocked_names": ["Ana Sousa"]}
    async with open_installation(copy_database(server), tmp_path, **options) as house:
        merchant = await house.merchant()
        hit = await shared(house, merchant, "REVIEWING")
        clean = await shared(house, merchant, "REVIEWING", partner="user-2", kyc_info={**PERSON, "first_name": "Eva"})
        async with house.parts.database.transaction() as tx:
            notes = [(await kyb.find_case(house.parts.kyb_terms, tx, one)).note for one in (hit, clean)]
        assert (notes[0] is not None, notes[1]) == (True, None)


class TestPersonalData:
    async def test_is_sealed_at_rest(self, house: Installation, merchant: Merchant) -> None:
        rare = {**PERSON, "last_name": "Zqxjkwv", "id_number": "ZQ77XJ"}
        await shared(house, merchant, kyc_info=rare, documents=[{**document(b"%PDF-1.7\nZqxjkwv\n%%EOF\n")}])
        sought = "|".join(f"{word}|{word.encode().hex()}" for word in ("Zqxjkwv", "ZQ77XJ"))
        with psycopg.connect(house.parts.database_url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            assert ("kyb_sub_users",) in tables
            for (table,) in tables:
                look = sql.SQL("SELECT count(*) FROM {} t WHERE t::text ~* {}").format(
                    sql.Identifier(table), sql.Literal(sought)
                )
                assert connection.execute(look).fetchone() == (0,), table

    async def test_is_exported_whole(self, house: Installation, merchant: Merchant) -> None:
        sub_user = await shared(house, merchant, documents=[document()])
        async with house.parts.database.transaction() as tx:
            exported = await kyb.export_sub_user(house.parts.kyb_terms, tx, sub_user, Decision(True, "ana"))
            newest = (await audit.list_entries(tx))[0]
        assert exported["profile"]["kyc_info"] == {key: value for key, value in PERSON.items() if value}
        assert exported["documents"][0]["name"] == "passport.pdf"
        assert (newest.action, newest.subject_id) == ("kyb.export", sub_user)

    async def test_is_erased_and_the_row_stays(self, house: Installation, merchant: Merchant) -> None:
        sub_user = await shared(house, merchant, documents=[document()])
        async with house.parts.database.transaction() as tx:
            ((_, file),) = (await kyb.find_case(house.parts.kyb_terms, tx, sub_user)).documents
            await kyb.erase_sub_user(house.parts.kyb_terms, tx, sub_user, Decision(True, "ana", "asked for"))
        async with house.parts.database.transaction() as tx:
            case = await kyb.find_case(house.parts.kyb_terms, tx, sub_user)
            assert (case.profile, case.documents) == (None, ())
            with pytest.raises(FileNotFound):
                await files.find_kept(house.parts.file_terms, tx, merchant.merchant_id, file.file_id)
            with pytest.raises(KybRequired):
                await kyb.check_approved(tx, merchant.merchant_id, sub_user)
        assert (await merchant.get(USER, partnerUserId="user-1"))["status"] == "REJECTED"
        with pytest.raises(InvalidState):
            async with house.parts.database.transaction() as tx:
                await kyb.erase_sub_user(house.parts.kyb_terms, tx, sub_user, Decision(True, "ana"))
        assert (await merchant.order(SHARE, person(request_id="again"))).code == "INVALID_STATE"
