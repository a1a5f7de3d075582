"""The operator's view of the hot wallets: what lies there, what waits and why; what is sent, and replacing it."""

from __future__ import annotations

import json
from pathlib import Path

from processes import available, bpn, client, funded, running, wait


def test_an_operator_sees_the_hot_wallets_and_what_leaves_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as process:
        wallet_id = process.ready["primaryWalletId"]
        shown = json.loads(bpn(data, "hot", "list", "--json").stdout)
        assert {one["network"] for one in shown} == {"BSC", "ETH"}
        (bsc,) = (one for one in shown if one["network"] == "BSC")
        assert bsc["balances"]["BNB"] == "1000"
        assert (bsc["chainNonce"], bsc["unmined"], bsc["waiting"]) == (0, 0, [])
        with client(process.ready) as api:
            funded(api, wallet_id, "50")
            # Swept by itself: the address is given gas, its tokens arrive in the hot wallet.
            wait(lambda: _swept(data), 60)
            assert available(api, wallet_id) == "50"
        rows = json.loads(bpn(data, "outgoing", "list", "BSC", "--all", "--json").stdout)
        assert [(row["purpose"], row["state"], row["nonce"]) for row in rows] == [("top_up", "settled", "0")]
        stuck = bpn(data, "outgoing", "replace", "BSC", "0")
        assert (stuck.returncode, stuck.stderr.split(":")[0]) == (1, "INVALID_STATE")
        unknown = bpn(data, "outgoing", "replace", "BSC", "77")
        assert (unknown.returncode, unknown.stderr.split(":")[0]) == (1, "TRANSACTION_NOT_FOUND")
        booked = bpn(data, "hot", "fund", "BSC", "BNB", "2.5", "--actor", "ana", "--reason", "gas for June")
        assert (booked.returncode, booked.stderr.strip().splitlines()[-1]) == (0, "2.5 BNB@BSC are booked.")
        assert bpn(data, "hot", "fund", "BSC", "DOGE", "1").returncode == 1
        # Booked and not sent: the comparison says so.
        assert bpn(data, "reconcile", "chain").returncode == 1
        (decision, *_) = json.loads(bpn(data, "audit", "list", "--json").stdout)
        assert (decision["action"], decision["actor"], decision["reason"]) == (
            "hot.fund BNB@BSC",
            "ana",
            "gas for June",
        )


def _swept(data: Path) -> bool:
    (bsc,) = (one for one in json.loads(bpn(data, "hot", "list", "--json").stdout) if one["network"] == "BSC")
    return bool(bsc["balances"]["USDT"] == "10000050" and bsc["sweeps"] == 0)
