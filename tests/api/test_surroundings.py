"""Around the API: health that turns red for a reason, metrics, the document and its reader, 404 in the envelope."""

from __future__ import annotations

import pytest

from bpn.database.revisions import newest_revision
from installation import Installation


async def test_live_and_ready(house: Installation) -> None:
    await house.work()
    assert (await house.http.get("/health/live")).json() == {"status": "live"}
    answer = await house.http.get("/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["checks"]) == {"database", "migrations", "notices", "relay", "chain BSC", "chain ETH"}


@pytest.mark.parametrize(
    ("change", "undo", "check"),
    [
        (
            "UPDATE wallet_chains SET read_at = read_at - interval '5 minutes' WHERE network = 'BSC'",
            "UPDATE wallet_chains SET read_at = now() WHERE network = 'BSC'",
            "chain BSC",
        ),
        (
            "UPDATE wallet_chains SET head_time = head_time - interval '1 year' WHERE network = 'BSC'",
            "UPDATE wallet_chains SET head_time = head_time + interval '1 year' WHERE network = 'BSC'",
            "chain BSC",
        ),
        (
            "UPDATE wallet_chains SET stopped = 'a deep reorg' WHERE network = 'ETH'",
            "UPDATE wallet_chains SET stopped = NULL WHERE network = 'ETH'",
            "chain ETH",
        ),
        (
            "INSERT INTO outbox_facts VALUES (1, 1, 'x', 1, 1, '{}', now() - interval '5 minutes')",
            "DELETE FROM outbox_facts WHERE merchant_id = 1",
            "relay",
        ),
        (
            "UPDATE alembic_version SET version_num = '0001'",
            f"UPDATE alembic_version SET version_num = '{newest_revision()}'",
            "migrations",
        ),
    ],
)
async def test_readiness_turns_red_and_says_why(
    house: Installation, database_admin: object, change: str, undo: str, check: str
) -> None:
    execute = database_admin
    execute(change)  # type: ignore[operator]
    answer = await house.http.get("/health/ready")
    execute(undo)  # type: ignore[operator]
    assert answer.status_code == 503
    faults = {name for name, state in answer.json()["checks"].items() if state != "ok"}
    assert faults == {check}
    await house.work()
    assert (await house.http.get("/health/ready")).status_code == 200


async def test_metrics_name_operations(house: Installation) -> None:
    merchant = await house.merchant()
    await merchant.get("/v1/wallet/asset-balance")
    text = (await house.http.get("/metrics")).text
    assert 'bpn_request_seconds_count{operation="get_asset_balance",status="200"}' in text


async def test_the_reader_of_the_document_needs_no_internet(house: Installation) -> None:
    page = (await house.http.get("/docs")).text
    assert "/docs/assets/swagger-ui-bundle.js" in page
    assert "cdn" not in page
    assert (await house.http.get("/docs/assets/swagger-ui.css")).status_code == 200
    assert (await house.http.get("/openapi.json")).json()["openapi"].startswith("3.1")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/docs", 405)])
async def test_what_is_not_there_answers_in_the_envelope(
    house: Installation, method: str, path: str, status: int
) -> None:
    answer = await house.http.request(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["status", "msg", "code", "traceId", "data"]
