"""The table of purposes: what each outgoing transfer is for, in the order in which they are given nonces."""

from __future__ import annotations

from collections.abc import Mapping

from bpn.chapters.wallet.model.outgoing import Purpose
from bpn.chapters.wallet.operations.outgoing.handling import Handling
from bpn.chapters.wallet.operations.outgoing.refunds import REFUNDS
from bpn.chapters.wallet.operations.outgoing.sweeps import SWEEPS, TOP_UPS
from bpn.chapters.wallet.operations.outgoing.withdrawals import WITHDRAWALS

HANDLINGS: Mapping[Purpose, Handling] = {
    Purpose.WITHDRAWAL: WITHDRAWALS,
    Purpose.REFUND: REFUNDS,
    Purpose.TOP_UP: TOP_UPS,
    Purpose.SWEEP: SWEEPS,
}
