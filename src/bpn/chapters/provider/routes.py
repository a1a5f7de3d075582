"""The provider chapter over HTTP: path, schema in, operation, schema out."""

from __future__ import annotations

from bpn.api.fields import Page, PageRequest, page_of
from bpn.api.route import Merchant, Permission, Transaction, get, post
from bpn.chapters.accounts import errors as account_errors
from bpn.chapters.fx.errors import RateUnavailable
from bpn.chapters.orders import errors as order_errors
from bpn.chapters.provider import errors, operations, schemas
from bpn.chapters.provider.model import ProviderTerms, SubWalletStatus
from bpn.kernel.errors import IdempotencyConflict, InvalidState

_PRICED = (
    RateUnavailable,
    errors.LiquidityUnavailable,
    order_errors.AmountTooSmall,
    order_errors.LimitExceeded,
    order_errors.ServicePaused,
)


class ProviderRoutes:
    """The chapter's operations on the terms that the operator set."""

    def __init__(self, terms: ProviderTerms) -> None:
        self._terms = terms

    @post(
        "/v1/provider/sub-wallet/create-link",
        title="Create stablecoin collection sub-account link",
        source="public-name",
        permission=Permission.TRADE,
        claim_field="requestId",
        refusals=(order_errors.ServicePaused, IdempotencyConflict),
    )
    async def create_collection_account_link(
        self, tx: Transaction, merchant: Merchant, request: schemas.CreateLinkRequest
    ) -> schemas.CollectionLink:
        """Open a sub wallet that collects stablecoins for a customer, and make the link that the customer is sent."""
        wallet = await operations.create_collection_account_link(
            self._terms,
            tx,
            merchant.merchant_id,
            operations.LinkCommand(
                request.request_id,
                request.partner_user_id,
                request.account_name,
                request.return_url,
                request.locale,
            ),
        )
        return schemas.CollectionLink.of(wallet, self._terms.url(wallet.token))

    @get(
        "/v1/provider/sub-wallet/detail",
        title="Get sub wallet account",
        source="public-name",
        refusals=(errors.SubWalletNotFound,),
    )
    async def get_sub_wallet(
        self, tx: Transaction, merchant: Merchant, query: schemas.SubWalletQuery
    ) -> schemas.SubWallet:
        """A sub wallet with its addresses."""
        wallet = await operations.get_sub_wallet(tx, merchant.merchant_id, query.wallet_id)
        return schemas.SubWallet.of(wallet, self._terms.wallet)

    @get("/v1/provider/sub-wallet/list", title="List sub wallet accounts", source="public-name")
    async def list_sub_wallets(
        self, tx: Transaction, merchant: Merchant, query: schemas.SubWalletListQuery
    ) -> Page[schemas.SubWallet]:
        """The sub wallets of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_sub_wallets(
            tx, merchant.merchant_id, query.filters(), before=page.before, offset=page.offset, limit=page.size
        )
        return page_of(
            page,
            found.total,
            found.wallets,
            lambda wallet: schemas.SubWallet.of(wallet, self._terms.wallet),
            lambda wallet: wallet.link_id,
        )

    @post(
        "/v1/provider/sub-wallet/change-status",
        title="Change sub wallet status",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(errors.SubWalletNotFound, InvalidState),
    )
    async def change_sub_wallet_status(
        self, tx: Transaction, merchant: Merchant, request: schemas.ChangeStatusRequest
    ) -> schemas.SubWallet:
        """Freeze, thaw or close a sub wallet; what the platform froze it alone can lift."""
        wallet = await operations.change_sub_wallet_status(
            tx, merchant.merchant_id, request.wallet_id, SubWalletStatus(request.status), request.reason
        )
        return schemas.SubWallet.of(wallet, self._terms.wallet)

    @get(
        "/v1/provider/collection-order/list",
        title="Query stablecoin collection order list",
        source="public-name",
    )
    async def list_collection_orders(
        self, tx: Transaction, merchant: Merchant, query: schemas.CollectionListQuery
    ) -> Page[schemas.CollectionOrder]:
        """The collection orders of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_collection_orders(
            self._terms,
            tx,
            merchant.merchant_id,
            query.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.orders, schemas.CollectionOrder.of, lambda order: order.order_id)

    @get(
        "/v1/provider/collection-order/status",
        title="Query stablecoin collection order status",
        source="public-name",
        refusals=(errors.CollectionOrderNotFound,),
    )
    async def get_collection_order(
        self, tx: Transaction, merchant: Merchant, query: schemas.CollectionOrderQuery
    ) -> schemas.CollectionOrder:
        """A collection order as it is now."""
        return schemas.CollectionOrder.of(
            await operations.get_collection_order(self._terms, tx, merchant.merchant_id, int(query.order_id))
        )

    @get(
        "/v1/provider/collection-order/quote",
        title="Get quote",
        source="public-name",
        refusals=(errors.CollectionOrderNotFound, InvalidState, *_PRICED),
    )
    async def get_collection_quote(
        self, tx: Transaction, merchant: Merchant, query: schemas.CollectionOrderQuery
    ) -> schemas.CollectionOrder:
        """The order with a quote that lives for 15 minutes; one that is over is replaced."""
        return schemas.CollectionOrder.of(
            await operations.get_collection_quote(self._terms, tx, merchant.merchant_id, int(query.order_id))
        )

    @post(
        "/v1/provider/collection-order/accept",
        title="Accept stablecoin collection order",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(
            errors.CollectionOrderNotFound,
            InvalidState,
            errors.QuoteNotFound,
            errors.QuoteExpired,
            errors.QuoteUsed,
            account_errors.MasterAccountNotProvisioned,
            order_errors.InsufficientBalance,
            *_PRICED,
        ),
    )
    async def accept_collection_order(
        self, tx: Transaction, merchant: Merchant, request: schemas.AcceptRequest
    ) -> schemas.CollectionOrder:
        """Turn an order into dollars at its quote, all of it in one step or nothing."""
        return schemas.CollectionOrder.of(
            await operations.accept_collection_order(
                self._terms, tx, merchant.merchant_id, int(request.order_id), request.quote_id
            )
        )

    @post(
        "/v1/provider/collection-order/reject",
        title="Reject stablecoin collection order",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(
            errors.CollectionOrderNotFound,
            InvalidState,
            errors.RefundUneconomic,
            order_errors.ServicePaused,
        ),
    )
    async def reject_collection_order(
        self, tx: Transaction, merchant: Merchant, request: schemas.RejectRequest
    ) -> schemas.CollectionOrder:
        """Send an order's money back, less the network's fee."""
        return schemas.CollectionOrder.of(
            await operations.reject_collection_order(
                self._terms,
                tx,
                merchant.merchant_id,
                int(request.order_id),
                request.reason,
                request.refund_address,
            )
        )

    @get(
        "/v1/provider/usd/balance",
        title="Query USD balance",
        source="public-name",
        refusals=(account_errors.MasterAccountNotProvisioned,),
    )
    async def get_usd_balance(
        self, tx: Transaction, merchant: Merchant, query: schemas.UsdBalanceQuery
    ) -> schemas.UsdBalance:
        """The merchant's dollars."""
        del query  # there is one currency
        return schemas.UsdBalance.of(await operations.get_usd_balance(tx, merchant.merchant_id))

    @post(
        "/v1/provider/usd/payout",
        title="USD Payout (withdrawal)",
        source="public-name",
        permission=Permission.WITHDRAW,
        claim_field="merchantOrderId",
        refusals=(
            account_errors.UnsupportedRail,
            account_errors.MasterAccountNotProvisioned,
            account_errors.BankAccountNotFound,
            account_errors.InvalidState,
            account_errors.AmountTooSmall,
            account_errors.LimitExceeded,
            account_errors.InsufficientBalance,
            account_errors.ServicePaused,
            IdempotencyConflict,
        ),
    )
    async def create_usd_payout(
        self, tx: Transaction, merchant: Merchant, request: schemas.UsdPayoutRequest
    ) -> schemas.UsdPayout:
        """Pay dollars to a bank account; amount and fee are held until the bank has decided."""
        command = request.command(operations.dollar())
        return schemas.UsdPayout.of(await operations.create_usd_payout(self._terms, tx, merchant.merchant_id, command))

    @get(
        "/v1/provider/usd/payout/status",
        title="Query USD Payout order status",
        source="public-name",
        refusals=(errors.UsdPayoutNotFound,),
    )
    async def get_usd_payout(
        self, tx: Transaction, merchant: Merchant, query: schemas.UsdPayoutQuery
    ) -> schemas.UsdPayout:
        """One payout, by `orderId` or by `merchantOrderId`."""
        return schemas.UsdPayout.of(
            await operations.get_usd_payout(
                tx,
                merchant.merchant_id,
                payout_id=None if query.order_id is None else int(query.order_id),
                merchant_order_id=query.merchant_order_id,
            )
        )

    @get("/v1/provider/usd/payout/list", title="Query USD Payout order list", source="public-name")
    async def list_usd_payouts(
        self, tx: Transaction, merchant: Merchant, query: schemas.UsdPayoutListQuery
    ) -> Page[schemas.UsdPayout]:
        """The payouts of the merchant's dollars, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_usd_payouts(
            tx, merchant.merchant_id, query.filters(), before=page.before, offset=page.offset, limit=page.size
        )
        return page_of(page, found.total, found.payouts, schemas.UsdPayout.of, lambda payout: payout.payout_id)
