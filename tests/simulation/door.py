"""Merchants' requests down the real corridor, through an API process that may die; clients ask again until answered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from process import Killed, Process

from bpn.api import idempotency, replay
from bpn.api.corridor import Corridor, Errand
from bpn.api.route import Route
from bpn.kernel.errors import Refusal
from bpn.merchants.model import Merchant
from bpn.wiring.house import House


@dataclass
class SimulatedDoor:
    """What stands between a merchant and the operations, without HTTP."""

    house: House
    routes: dict[str, Route]
    random: Random

    async def order(self, merchant: Merchant, operation: str, body: dict[str, Any]) -> dict[str, Any] | Refusal:
        """The data of the answer or the refusal, once one came; each try is signed anew."""
        route = self.routes[operation]
        request = route.request.model_validate_json(json.dumps(body))
        key = body.get(route.claim_field) if route.claim_field else None
        claim = None
        if key is not None:
            fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
            claim = idempotency.Claim(merchant.merchant_id, operation, key, fingerprint)
        fuse = self.random.choice([None, None, None, 0])
        while True:
            process = Process(self.house.database, fuse, self.random.random() < 0.5)
            corridor = Corridor(route, process, self.house.cipher)  # type: ignore[arg-type]
            seen = replay.Seen(
                merchant.merchant_id, 0, self.random.randbytes(16), hashlib.sha256(route.path.encode()).digest()[:16]
            )
            try:
                (answer,) = await corridor._attempt([Errand(merchant, seen, request, None, claim)])
            except Killed:
                fuse = None
                continue
            return answer if isinstance(answer, Refusal) else json.loads(answer)
