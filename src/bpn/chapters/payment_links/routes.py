"""The payment links chapter over HTTP: path, schema in, operation, schema out."""

from __future__ import annotations

from bpn.api.fields import Page, PageRequest, page_of
from bpn.api.route import Merchant, Permission, Transaction, get, post
from bpn.chapters.payment_links import errors, operations, schemas
from bpn.chapters.payment_links.model import FundAction, LinkTerms, LinkView
from bpn.chapters.payment_links.schemas.links import LinkConfigQuery
from bpn.chapters.wallet import errors as wallet_errors
from bpn.controls.errors import ServicePaused
from bpn.kernel.errors import InvalidState


class PaymentLinkRoutes:
    """The chapter's operations on the terms that the operator set."""

    def __init__(self, terms: LinkTerms) -> None:
        self._terms = terms

    def _shown(self, view: LinkView) -> schemas.PaymentLink:
        return schemas.PaymentLink.of(view, self._terms.url(view.link.token))

    @post(
        "/v1/payment-link/create",
        title="Create Payment Link",
        source="public-name",
        permission=Permission.TRADE,
        claim_field="userOrderNo",
        refusals=(
            wallet_errors.UnsupportedCurrency,
            wallet_errors.UnsupportedNetwork,
            wallet_errors.WalletNotFound,
            ServicePaused,
        ),
    )
    async def create_payment_link(
        self, tx: Transaction, merchant: Merchant, request: schemas.CreateLinkRequest
    ) -> schemas.PaymentLink:
        """Make a link to a hosted page on which anyone can pay in stablecoins."""
        command = request.command(operations.fiat_asset(request.fiat_currency))
        view = await operations.create_payment_link(self._terms, tx, merchant.merchant_id, command)
        return self._shown(view)

    @get(
        "/v1/payment-link/detail",
        title="Get Payment Link",
        source="ours",
        refusals=(errors.PaymentLinkNotFound,),
    )
    async def get_payment_link(
        self, tx: Transaction, merchant: Merchant, query: schemas.LinkQuery
    ) -> schemas.PaymentLink:
        """A link with all that came for it."""
        view = await operations.get_payment_link(
            self._terms,
            tx,
            merchant.merchant_id,
            payment_id=None if query.payment_id is None else int(query.payment_id),
            user_order_no=query.user_order_no,
        )
        return self._shown(view)

    @post(
        "/v1/payment-link/list",
        title="List Payment links",
        source="public-name",
        permission=Permission.READ,
        reading=True,
    )
    async def list_payment_links(
        self, tx: Transaction, merchant: Merchant, request: schemas.LinkListRequest
    ) -> Page[schemas.PaymentLink]:
        """The links of the merchant and the orders to permanent ones, newest first."""
        page = PageRequest.of(request)
        found = await operations.list_payment_links(
            self._terms,
            tx,
            merchant.merchant_id,
            request.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(
            page,
            found.total,
            found.links,
            self._shown,
            lambda view: view.link.payment_id,
        )

    @post(
        "/v1/payment-link/cancel",
        title="Cancel Payment Link",
        source="ours",
        permission=Permission.TRADE,
        refusals=(errors.PaymentLinkNotFound, InvalidState),
    )
    async def cancel_payment_link(
        self, tx: Transaction, merchant: Merchant, request: schemas.CancelLinkRequest
    ) -> schemas.PaymentLink:
        """Call a link back; what came and did not complete it becomes an abnormal fund."""
        view = await operations.cancel_payment_link(self._terms, tx, merchant.merchant_id, int(request.payment_id))
        return self._shown(view)

    @get("/v1/payment-link/currency-network-config", title="Get Currency Network Config", source="public-name")
    async def get_currency_network_config(
        self, tx: Transaction, merchant: Merchant, query: LinkConfigQuery
    ) -> schemas.LinkConfigList:
        """The currencies and networks that links may be paid with."""
        networks = await operations.get_currency_network_config(self._terms, tx, merchant.merchant_id)
        return schemas.LinkConfigList.of(networks, query)

    @get("/v1/payment-link/abnormal-fund/list", title="Abnormal funds", source="public-name")
    async def list_abnormal_funds(
        self, tx: Transaction, merchant: Merchant, query: schemas.FundQuery
    ) -> Page[schemas.AbnormalFund]:
        """What came for links and did not complete them, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_abnormal_funds(
            tx, merchant.merchant_id, query.filters(), before=page.before, offset=page.offset, limit=page.size
        )
        return page_of(
            page, found.total, found.funds, schemas.AbnormalFund.of, lambda fund: fund.abnormal_fund_id
        )  # fmt: skip

    @get(
        "/v1/payment-link/abnormal-fund/matchable-links",
        title="Matchable Payment links",
        source="public-name",
        refusals=(errors.AbnormalFundNotFound,),
    )
    async def list_matchable_links(
        self, tx: Transaction, merchant: Merchant, query: schemas.MatchQuery
    ) -> schemas.MatchableLinkList:
        """The unpaid links that a fund could pay, best first, with the reasons."""
        matches = await operations.list_matchable_links(
            self._terms, tx, merchant.merchant_id, int(query.abnormal_fund_id)
        )
        return schemas.MatchableLinkList.of(matches)

    @post(
        "/v1/payment-link/abnormal-fund/link-order",
        title="Link Order(Abnormal fund)",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(errors.AbnormalFundNotFound, errors.PaymentLinkNotFound, InvalidState, errors.RateUnavailable),
    )
    async def link_abnormal_fund(
        self, tx: Transaction, merchant: Merchant, request: schemas.LinkFundRequest
    ) -> schemas.AbnormalFund:
        """Let a fund pay a link; the link is completed if what is there for it suffices."""
        fund = await operations.link_abnormal_fund(
            self._terms,
            tx,
            merchant.merchant_id,
            abnormal_fund_id=int(request.abnormal_fund_id),
            payment_id=int(request.payment_id),
        )
        return schemas.AbnormalFund.of(fund)

    @post(
        "/v1/payment-link/abnormal-fund/submit",
        title="Submit to platform",
        source="public-name",
        permission=Permission.WITHDRAW,
        refusals=(errors.AbnormalFundNotFound, InvalidState, errors.RefundUneconomic),
    )
    async def submit_abnormal_fund(
        self, tx: Transaction, merchant: Merchant, request: schemas.SubmitFundRequest
    ) -> schemas.AbnormalFund:
        """Ask the platform to return a fund to an address the payer confirmed, or to credit it; an operator decides."""
        fund = await operations.submit_abnormal_fund(
            self._terms,
            tx,
            merchant.merchant_id,
            abnormal_fund_id=int(request.abnormal_fund_id),
            action=FundAction(request.action),
            refund_address=request.refund_address,
            reason=request.reason,
        )
        return schemas.AbnormalFund.of(fund)
