"""`bpn up` and the commands beside it: one process group, data that stays, a kill -9 in the middle of everything."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.client import ApiError, Client
from installation import OUTSIDE
from processes import available, bpn, client, funded, running, start, wait


def test_up_serves_stops_cleanly_and_keeps_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as first:
        assert set(first.ready) == {"baseUrl", "apiKey", "apiSecret", "merchantId", "primaryWalletId"}
        base = first.ready["baseUrl"]
        assert httpx.get(f"{base}/health/live").json() == {"status": "live"}
        assert set(httpx.get(f"{base}/health/ready").json()["checks"].values()) == {"ok"}
        assert "bpn_request_seconds" in httpx.get(f"{base}/metrics").text
        page = httpx.get(f"{base}/docs").text
        assert "https://" not in page.replace('href="https://fastapi', "")
        assert httpx.get(f"{base}/docs/assets/swagger-ui-bundle.js").status_code == 200
        with client(first.ready) as api:
            funded(api, first.ready["primaryWalletId"], "25")
        made = json.loads(bpn(data, "merchant", "create", "--name", "Second", "--json").stdout)
        assert set(made) == {"merchantId", "apiKey", "apiSecret", "primaryWalletId"}
        with client({"baseUrl": base, **made}) as api:
            assert api.get("/v1/wallet/asset-balance")["id"] == made["primaryWalletId"]
            assert bpn(data, "merchant", "suspend", made["merchantId"]).returncode == 0
            wait(lambda: _code(api) == "MERCHANT_SUSPENDED", 5)
        names = [row["name"] for row in json.loads(bpn(data, "merchant", "list", "--json").stdout)]
        assert sorted(names) == ["Demo merchant", "Second"]
        key = json.loads(
            bpn(data, "key", "create", "--merchant", first.ready["merchantId"], "--permission", "read", "--json").stdout
        )
        with client({"baseUrl": base, **key}) as api:
            assert api.get("/v1/wallet/asset-balance")["wallets"]
            assert bpn(data, "key", "revoke", key["apiKey"]).returncode == 0
            wait(lambda: _code(api) == "UNKNOWN_API_KEY", 5)
        with client(first.ready) as api:
            _whitelist(api)
            funded(api, first.ready["primaryWalletId"], "5000")
            asked = api.post(
                "/v1/wallet/withdraw", {**_withdrawal(first.ready["primaryWalletId"], 1), "amount": "2000"}
            )
            (waiting,) = json.loads(bpn(data, "withdrawal", "list", "--json").stdout)
            assert (waiting["id"], waiting["amount"]) == (asked["transactionId"], "2000 USDT@BSC")
            assert bpn(data, "withdrawal", "approve", waiting["id"], "--actor", "ana").returncode == 0
            again = bpn(data, "withdrawal", "approve", waiting["id"], "--actor", "ana")
            assert (again.returncode, again.stderr.split(":")[0]) == (1, "TRANSACTION_NOT_FOUND")
            wait(lambda: api.get("/v1/wallet/history", transactionId=waiting["id"], status="SUCCESS")["list"])
        told = json.loads(bpn(data, "audit", "list", "--json").stdout)
        (decision,) = [one for one in told if one["actor"] != "sandbox"]
        assert (decision["actor"], decision["action"]) == ("ana", "withdrawal.approve")
        assert bpn(data, "ledger", "verify").returncode == 0
        assert bpn(data, "reconcile", "chain").returncode == 0
        assert first.stop() == 0
        assert not (data / "pgdata" / "postmaster.pid").exists()
    with running(data) as second:
        assert second.ready["apiSecret"] == first.ready["apiSecret"]
        with client(second.ready) as api:
            assert available(api, second.ready["primaryWalletId"]) == "3024"


def test_an_external_postgresql_by_its_url(tmp_path: Path, server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE external")
    started = start(tmp_path / "data", BPN_DATABASE_URL=server.url("external"))
    with client(started.ready) as api:
        funded(api, started.ready["primaryWalletId"], "5")
    assert started.stop() == 0
    assert not (tmp_path / "data" / "pgdata").exists()


def _code(api: Client) -> str | None:
    try:
        api.get("/v1/wallet/asset-balance")
    except ApiError as error:
        return error.code
    return None


def test_kill_9_of_the_whole_group_in_the_middle_of_transfers_and_withdrawals(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = start(data)
    wallet_id = first.ready["primaryWalletId"]
    with client(first.ready) as api:
        funded(api, wallet_id, "1000")
        store = api.post("/v1/wallet/sub-account/create", {"name": "Store"})["walletId"]
        _whitelist(api)
    transfers = [_transfer(wallet_id, store, n) for n in range(4000)]
    withdrawals = [_withdrawal(wallet_id, n) for n in range(10)]
    answered: dict[str, Any] = {}
    threads = [
        threading.Thread(target=_send_until_dead, args=(first.ready, part, answered))
        for part in (*(transfers[k::4] for k in range(4)), withdrawals)
    ]
    for thread in threads:
        thread.start()
    wait(lambda: len(answered) > 100)
    time.sleep(1.5)  # withdrawals are between intent, signature, broadcast and receipt
    first.kill_group()
    for thread in threads:
        thread.join()
    assert 100 < len(answered) < len(transfers)
    second = start(data, first.port)
    try:
        with client(second.ready) as api:
            for order in (*transfers[:400], *withdrawals):
                reference = str(order["merchantTransactionId"])
                path = "/v1/wallet/withdraw" if "address" in order else "/v1/wallet/internal-transfer"
                again = api.post(path, order)
                if reference in answered:
                    assert again["transactionId"] == answered[reference]["transactionId"]
                answered[reference] = again
            wait(lambda: api.get("/v1/wallet/history", transactionType="WITHDRAW", status="SUCCESS")["total"] == 10)
            assert api.get("/v1/wallet/history", transactionType="WITHDRAW")["total"] == 10
            moved = api.get("/v1/wallet/internal-transfer/list")["total"]
            assert moved >= len(answered) - 10
            assert available(api, store) == _text(moved)
            assert available(api, wallet_id) == _text(100_000 - moved - 10 * 200)
        checked = bpn(data, "ledger", "verify")
        assert checked.returncode == 0, checked.stdout
        compared = bpn(data, "reconcile", "chain")
        assert compared.returncode == 0, compared.stdout
    finally:
        second.process.send_signal(signal.SIGINT)
        second.process.wait(60)


def _whitelist(api: Client) -> None:
    api.post(
        "/v1/wallet/add-withdraw-whitelist",
        {
            "currency": "USDT",
            "address": OUTSIDE,
            "alias": "T",
            "addressType": 1,
            "beneficiary": {"type": "individual", "firstName": "Ana", "lastName": "Sousa"},
        },
    )


def _text(cents: int) -> str:
    return f"{cents / 100:.2f}".rstrip("0").rstrip(".")


def _transfer(source: int, target: int, number: int) -> dict[str, Any]:
    return {
        "merchantTransactionId": f"t-{number}", "fromWalletId": source, "toWalletId": target, "currency": "USDT",
        "amount": "0.01",
    }  # fmt: skip


def _withdrawal(source: int, number: int) -> dict[str, Any]:
    return {
        "merchantTransactionId": f"w-{number}", "walletId": source, "currency": "USDT", "address": OUTSIDE,
        "amount": "1",
    }  # fmt: skip


def _send_until_dead(ready: dict[str, Any], orders: list[dict[str, Any]], answered: dict[str, Any]) -> None:
    with client(ready) as api:
        for order in orders:
            path = "/v1/wallet/withdraw" if "address" in order else "/v1/wallet/internal-transfer"
            try:
                answered[order["merchantTransactionId"]] = api.post(path, order)
            except (httpx.HTTPError, ApiError, ValueError):
                return
