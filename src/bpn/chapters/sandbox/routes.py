"""The sandbox chapter over HTTP; added only where the outside world is simulated."""

from __future__ import annotations

from bpn.api.fields import parse_amount
from bpn.api.route import Merchant, Permission, Transaction, post
from bpn.chapters.accounts import errors as account_errors
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts import schemas as account_schemas
from bpn.chapters.payment_links import errors as link_errors
from bpn.chapters.sandbox import errors, operations, schemas
from bpn.chapters.sandbox.model import PayInToMake, SandboxTerms, Scenario
from bpn.chapters.wallet import errors as wallet_errors
from bpn.chapters.wallet import operations as wallet
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidState


class SandboxRoutes:
    """The chapter's operations on the simulated networks."""

    def __init__(self, terms: SandboxTerms) -> None:
        self._terms = terms

    @post(
        "/v1/mock/wallet/deposit",
        title="Mock wallet deposit transaction",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(
            wallet_errors.UnsupportedCurrency,
            wallet_errors.UnsupportedNetwork,
            wallet_errors.WalletNotFound,
            link_errors.PaymentLinkNotFound,
            InvalidState,
            errors.NotSimulated,
            errors.SimulationUnavailable,
        ),
    )
    async def mock_deposit(
        self, tx: Transaction, merchant: Merchant, request: schemas.MockDepositRequest
    ) -> schemas.MockDeposit:
        """Send stablecoins to a wallet on the sandbox's chain; they are found like any deposit."""
        token = wallet.find_token(self._terms.wallet, request.currency, request.network)
        sender = None if request.from_address is None else wallet.parse_address(request.from_address)
        hash_ = await operations.mock_deposit(
            self._terms,
            tx,
            merchant.merchant_id,
            wallet_id=request.wallet_id,
            payment_id=None if request.payment_id is None else int(request.payment_id),
            token=token,
            amount=parse_amount(request.amount, token.asset),
            sender=sender,
        )
        return schemas.MockDeposit(hash=hash_)

    @post(
        "/v1/mock/virtual-account/payin",
        title="Mock Virtual account Payin Order",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(
            account_errors.UnsupportedCurrency,
            account_errors.VirtualAccountNotFound,
            InvalidState,
            errors.SimulationUnavailable,
        ),
    )
    async def mock_payin(
        self, tx: Transaction, merchant: Merchant, request: schemas.MockPayInRequest
    ) -> account_schemas.Order:
        """Have somebody pay to a virtual account through the sandbox's bank; it is found like any pay-in."""
        account = await accounts.get_virtual_account(
            self._terms.accounts, tx, merchant.merchant_id, int(request.account_id)
        )
        asset = accounts.find_asset(request.currency or account.asset.currency)
        pay_in = PayInToMake(
            merchant.merchant_id,
            account.account_id,
            parse_amount(request.amount, asset),
            request.party(),
            request.remittance,
            request.delay_seconds,
        )
        return account_schemas.Order.of(await operations.mock_payin(self._terms, tx, pay_in))

    @post(
        "/v1/mock/scenario",
        title="Mock Scenario",
        source="ours",
        permission=Permission.ADMIN,
        refusals=(wallet_errors.UnsupportedNetwork, errors.NotSimulated, errors.SimulationUnavailable),
    )
    async def mock_scenario(
        self, _tx: Transaction, _merchant: Merchant, request: schemas.ScenarioRequest
    ) -> schemas.Scenario:
        """Have something go wrong outside: blocks replaced by others, a node that falls silent."""
        scenario = Scenario(request.name, request.network, request.blocks, request.keep, request.seconds)
        network = await operations.mock_scenario(self._terms, scenario)
        return schemas.Scenario(name=request.name, network=network)

    @post("/v1/mock/clock/advance", title="Advance Clock", source="ours", permission=Permission.ADMIN)
    async def advance_clock(
        self, tx: Transaction, _merchant: Merchant, request: schemas.ClockRequest
    ) -> schemas.ClockReading:
        """Move the sandbox's business time forward; it never goes back."""
        reading = await operations.advance_clock(tx, request.seconds)
        return schemas.ClockReading(
            now=to_milliseconds(reading.now), offset_seconds=int(reading.offset.total_seconds())
        )
