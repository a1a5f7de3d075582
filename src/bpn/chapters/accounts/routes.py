"""The accounts chapter over HTTP: path, schema in, operation, schema out."""

from __future__ import annotations

from bpn.api.fields import Page, PageRequest, page_of, parse_amount
from bpn.api.route import Merchant, Permission, Transaction, get, post
from bpn.banking import registry
from bpn.chapters.accounts import errors, operations, schemas
from bpn.chapters.accounts.model import AccountTerms, EmailScene, SubType, VirtualAccount
from bpn.chapters.accounts.operations.accounts import AccountCommand
from bpn.chapters.accounts.operations.bank_accounts import BankAccountCommand
from bpn.chapters.accounts.operations.invoices import InvoiceCommand
from bpn.chapters.accounts.operations.payouts import PayoutCommand
from bpn.chapters.accounts.operations.refunds import RefundCommand

_CODES = (errors.EmailCodeRequired, errors.EmailCodeInvalid)
_FILE_BODY_LIMIT = 8 * 1024 * 1024
"""A file of 5 MiB in base64, and what stands around it."""


class AccountRoutes:
    """The chapter's operations on the terms that the operator set."""

    def __init__(self, terms: AccountTerms) -> None:
        self._terms = terms

    def _account(self, account: VirtualAccount) -> schemas.VirtualAccount:
        return schemas.VirtualAccount.of(account, self._terms.base_url)

    @get(
        "/v1/virtual-account/primary/get-balance",
        title="Inquiry Master VA Balance",
        source="public",
        refusals=(errors.UnsupportedCurrency, errors.MasterAccountNotProvisioned),
    )
    async def get_master_balance(
        self, tx: Transaction, merchant: Merchant, query: schemas.MasterBalanceQuery
    ) -> schemas.MasterBalance:
        """What the merchant's master account of a currency holds."""
        return schemas.MasterBalance.of(await operations.get_master_balance(tx, merchant.merchant_id, query.currency))

    @get("/v1/virtual-account/primary/list", title="List Primary Virtual Accounts", source="public-name")
    async def list_master_accounts(
        self, tx: Transaction, merchant: Merchant, query: schemas.MasterListQuery
    ) -> Page[schemas.MasterBalance]:
        """The merchant's master accounts with their balances, one per currency."""
        page = PageRequest.of(query)
        found = await operations.list_master_accounts(
            tx,
            merchant.merchant_id,
            currency=query.currency,
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.balances, schemas.MasterBalance.of, lambda row: row.account.account_id)

    @post(
        "/v1/virtual-account/sub/create",
        title="Create Virtual Account",
        source="public",
        permission=Permission.TRADE,
        claim_field="requestId",
        refusals=(
            errors.UnsupportedCurrency,
            errors.UnsupportedRail,
            errors.MasterAccountNotProvisioned,
            errors.KybRequired,
            errors.ServicePaused,
            *_CODES,
        ),
    )
    async def create_virtual_account(
        self, tx: Transaction, merchant: Merchant, request: schemas.CreateAccountRequest
    ) -> schemas.VirtualAccount:
        """Open a fiat receiving handle; the bank opens it a moment later (webhook OPEN_VIRTUAL_ACCOUNT_STATUS)."""
        asset = operations.find_asset(request.currency)
        account = await operations.create_virtual_account(
            self._terms,
            tx,
            AccountCommand(
                merchant_id=merchant.merchant_id,
                currency=request.currency,
                country=request.country,
                rail=request.rail,
                sub_type=SubType(request.account_sub_type),
                pix_key_type=request.pix_key_type,
                pix_key=request.pix_key,
                amount=None if request.amount is None else parse_amount(request.amount, asset),
                expires_at=request.expiry(tx.now),
                sub_user_id=request.sub_user_id,
                profile=request.profile(),
                email_code=request.email_code,
            ),
        )
        return self._account(account)

    @get(
        "/v1/virtual-account/sub/detail",
        title="Get Virtual Account Detail",
        source="public-name",
        refusals=(errors.VirtualAccountNotFound,),
    )
    async def get_virtual_account(
        self, tx: Transaction, merchant: Merchant, query: schemas.AccountQuery
    ) -> schemas.VirtualAccount:
        """One virtual account."""
        account = await operations.get_virtual_account(self._terms, tx, merchant.merchant_id, int(query.account_id))
        return self._account(account)

    @get("/v1/virtual-account/sub/list", title="List Virtual Account", source="public")
    async def list_virtual_accounts(
        self, tx: Transaction, merchant: Merchant, query: schemas.AccountListQuery
    ) -> Page[schemas.VirtualAccount]:
        """The merchant's virtual accounts, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_virtual_accounts(
            self._terms,
            tx,
            merchant.merchant_id,
            query.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.accounts, self._account, lambda row: row.account_id)

    @post(
        "/v1/virtual-account/sub/delete",
        title="Delete Account",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(errors.VirtualAccountNotFound, errors.AccountHasOpenOrders, errors.InvalidState),
    )
    async def close_virtual_account(
        self, tx: Transaction, merchant: Merchant, request: schemas.CloseAccountRequest
    ) -> schemas.VirtualAccount:
        """Close a virtual account without open orders; what comes for it later is given back to its payer."""
        account = await operations.close_virtual_account(self._terms, tx, merchant.merchant_id, int(request.account_id))
        return self._account(account)

    @get("/v1/virtual-account/support-list", title="List Supported Accounts", source="ours")
    async def list_supported_accounts(
        self, _tx: Transaction, _merchant: Merchant, query: schemas.SupportedAccountQuery
    ) -> schemas.SupportedAccountList:
        """Per currency and country the rails, their limits and cut-off times, and what must be told of the holder."""
        found = await operations.list_supported_accounts(query.currency, query.country)
        return schemas.SupportedAccountList(list=[schemas.SupportedAccount.of(one) for one in found])

    @post(
        "/v1/virtual-account/order/payout",
        title="Payout via Virtual Account",
        source="public-name",
        permission=Permission.WITHDRAW,
        claim_field="merchantOrderId",
        refusals=(
            errors.UnsupportedCurrency,
            errors.UnsupportedRail,
            errors.VirtualAccountNotFound,
            errors.BankAccountNotFound,
            errors.InvalidState,
            errors.AmountTooSmall,
            errors.LimitExceeded,
            errors.InsufficientBalance,
            errors.ServicePaused,
            *_CODES,
        ),
    )
    async def create_payout(self, tx: Transaction, merchant: Merchant, request: schemas.PayoutRequest) -> schemas.Order:
        """Pay to a bank account; amount and fee are held until the bank has decided."""
        asset = operations.find_asset(request.currency)
        amount = parse_amount(request.amount, asset)
        given = request.beneficiary
        network = None
        if given is not None:
            network = operations.usual_rail(request.currency, given.network_type)
        order = await operations.create_payout(
            self._terms,
            tx,
            PayoutCommand(
                merchant_id=merchant.merchant_id,
                merchant_order_id=request.merchant_order_id,
                primary_account_id=int(request.virtual_account_id),
                amount=amount,
                bank_account_id=None if request.bank_account_id is None else int(request.bank_account_id),
                network_type=network,
                beneficiary=None
                if given is None or network is None
                else operations.read_party(network, given.country, given.info(), "beneficiary"),
                purpose=request.purpose,
                remark=request.remark,
                email_code=request.email_code,
            ),
        )
        return schemas.Order.of(order)

    @post(
        "/v1/virtual-account/order/refund",
        title="Refund Virtual Account Order",
        source="public",
        permission=Permission.WITHDRAW,
        claim_field="merchantOrderId",
        refusals=(
            errors.UnsupportedCurrency,
            errors.VirtualAccountNotFound,
            errors.OrderNotFound,
            errors.InvalidState,
            errors.PayerAmbiguous,
            errors.RefundExceedsPayIn,
            errors.InsufficientBalance,
            errors.ServicePaused,
        ),
    )
    async def refund_order(self, tx: Transaction, merchant: Merchant, request: schemas.RefundRequest) -> schemas.Order:
        """Give a pay-in, or part of it, back to its payer; refunds together never pass the pay-in."""
        currency = request.currency
        order_id = None if request.order_id is None else int(request.order_id)
        if currency is None and order_id is not None and request.amount is not None:
            known = await operations.get_account_order(
                self._terms, tx, merchant.merchant_id, order_id=order_id, merchant_order_id=None
            )
            currency = known.amount.asset.currency
        order = await operations.refund_order(
            self._terms,
            tx,
            RefundCommand(
                merchant_id=merchant.merchant_id,
                merchant_order_id=request.merchant_order_id,
                order_id=order_id,
                account_id=None if request.account_id is None else int(request.account_id),
                amount=None
                if request.amount is None
                else parse_amount(request.amount, operations.find_asset(currency or "")),
            ),
        )
        return schemas.Order.of(order)

    @get(
        "/v1/virtual-account/order/detail",
        title="Get Virtual Account Order Detail",
        source="public-name",
        refusals=(errors.OrderNotFound,),
    )
    async def get_account_order(self, tx: Transaction, merchant: Merchant, query: schemas.OrderQuery) -> schemas.Order:
        """One order, by `orderId` or by `merchantOrderId`."""
        order = await operations.get_account_order(
            self._terms,
            tx,
            merchant.merchant_id,
            order_id=None if query.order_id is None else int(query.order_id),
            merchant_order_id=query.merchant_order_id,
        )
        return schemas.Order.of(order)

    @get(
        "/v1/virtual-account/order/list",
        title="List Virtual Account Orders",
        source="public-name",
        refusals=(errors.UnsupportedCurrency,),
    )
    async def list_account_orders(
        self, tx: Transaction, merchant: Merchant, query: schemas.OrderListQuery
    ) -> Page[schemas.Order]:
        """Pay-ins, payouts, refunds and returns of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_account_orders(
            self._terms,
            tx,
            merchant.merchant_id,
            query.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.orders, schemas.Order.of, lambda row: row.order_id)

    @post(
        "/v1/virtual-account/invoice/submit",
        title="Submit Invoice",
        source="public-name",
        permission=Permission.TRADE,
        claim_field="requestId",
        body_limit=_FILE_BODY_LIMIT,
        refusals=(errors.OrderNotFound, errors.InvalidState, errors.UnsupportedCurrency),
    )
    async def submit_invoice(
        self, tx: Transaction, merchant: Merchant, request: schemas.InvoiceRequest
    ) -> schemas.Invoice:
        """Show the invoice of a pay-in that is INVOICE_REQUIRED."""
        invoice = await operations.submit_invoice(
            self._terms,
            tx,
            InvoiceCommand(
                merchant_id=merchant.merchant_id,
                order_id=int(request.order_id),
                invoice_number=request.invoice_no,
                invoice_date=request.day(),
                amount=parse_amount(request.amount, operations.find_asset(request.currency)),
                content=request.content(),
                file=request.file.upload(),
            ),
        )
        return schemas.Invoice.of(invoice)

    @get("/v1/virtual-account/invoice/list", title="Get Invoice list Status", source="public-name")
    async def list_invoices(
        self, tx: Transaction, merchant: Merchant, query: schemas.InvoiceListQuery
    ) -> Page[schemas.Invoice]:
        """The merchant's invoices and how they stand, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_invoices(
            self._terms,
            tx,
            merchant.merchant_id,
            invoice_id=None if query.invoice_id is None else int(query.invoice_id),
            order_id=None if query.order_id is None else int(query.order_id),
            status=query.status,
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.invoices, schemas.Invoice.of, lambda row: row.invoice_id)

    @get("/v1/virtual-account/sub/rfi/list", title="List RFI Sub Virtual Account", source="public-name")
    async def list_information_requests(
        self, tx: Transaction, merchant: Merchant, query: schemas.InformationRequestListQuery
    ) -> Page[schemas.InformationRequest]:
        """What compliance asks about the merchant's virtual accounts, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_information_requests(
            tx,
            merchant.merchant_id,
            request_id=None if query.rfi_id is None else int(query.rfi_id),
            account_id=None if query.account_id is None else int(query.account_id),
            status=query.status,
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.requests, schemas.InformationRequest.of, lambda row: row.request_id)

    @get(
        "/v1/virtual-account/sub/rfi/template",
        title="Get Sub Virtual Account RFI Template Info",
        source="public-name",
        refusals=(errors.InformationRequestNotFound,),
    )
    async def get_information_request_template(
        self, tx: Transaction, merchant: Merchant, query: schemas.InformationTemplateQuery
    ) -> schemas.InformationTemplate:
        """The fields that an information request asks for, each with its type."""
        request, template = await operations.get_information_request_template(
            self._terms, tx, merchant.merchant_id, int(query.rfi_id)
        )
        return schemas.InformationTemplate.of(request, template)

    @post(
        "/v1/virtual-account/sub/rfi/submit",
        title="Sub Virtual Account Submit RFI",
        source="public-name",
        permission=Permission.TRADE,
        body_limit=_FILE_BODY_LIMIT,
        refusals=(errors.InformationRequestNotFound, errors.InvalidState),
    )
    async def submit_information_request(
        self, tx: Transaction, merchant: Merchant, request: schemas.InformationSubmission
    ) -> schemas.InformationRequest:
        """Answer an information request."""
        submitted = await operations.submit_information_request(
            self._terms, tx, merchant.merchant_id, int(request.rfi_id), request.read()
        )
        return schemas.InformationRequest.of(submitted)

    @post(
        "/v1/account/send-email-code",
        title="Send Email Verify Code",
        source="public-name",
        permission=Permission.TRADE,
        refusals=(errors.EmailNotRegistered, errors.TooManyEmailCodes),
    )
    async def send_email_code(
        self, tx: Transaction, merchant: Merchant, request: schemas.EmailCodeRequest
    ) -> schemas.EmailCode:
        """Have a code of six digits sent; it is good for ten minutes, one use, five tries."""
        lifetime = await operations.send_email_code(
            self._terms, tx, merchant.merchant_id, request.email, EmailScene(request.scene)
        )
        return schemas.EmailCode(email=request.email, scene=request.scene, expires_in=int(lifetime.total_seconds()))

    @post(
        "/v1/account/query-bank-info",
        title="Query bank info by account number",
        source="public-name",
        permission=Permission.READ,
        reading=True,
    )
    async def query_bank_info(
        self, _tx: Transaction, _merchant: Merchant, request: schemas.BankInfoRequest
    ) -> schemas.BankInfo:
        """Which bank an IBAN, CLABE, ABA, BIC or PIX key is of."""
        return schemas.BankInfo.of(
            await operations.query_bank_info(request.account_number, request.country, request.currency)
        )

    @get("/v1/account/list-banks", title="List Banks", source="public-name")
    async def list_banks(
        self, _tx: Transaction, _merchant: Merchant, query: schemas.BankListQuery
    ) -> Page[schemas.Bank]:
        """Banks of the world by country and name; here `cursor` is a place in that order."""
        page = PageRequest.of(query)
        found = await operations.list_banks(
            country=query.country,
            currency=query.currency,
            search=query.search,
            after=page.before or 0,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, list(found.banks), schemas.Bank.of, _bank_number)

    @post(
        "/v1/account/add-account",
        title="Add Bank Account",
        source="public",
        permission=Permission.WITHDRAW,
        claim_field="requestId",
        refusals=(errors.UnsupportedCurrency, errors.UnsupportedRail, *_CODES),
    )
    async def add_bank_account(
        self, tx: Transaction, merchant: Merchant, request: schemas.BankAccountRequest
    ) -> schemas.BankAccount:
        """Add a bank account that the merchant is paid from or pays to; every number in it is checked."""
        account = await operations.add_bank_account(
            self._terms,
            tx,
            BankAccountCommand(
                merchant_id=merchant.merchant_id,
                account_type=request.account_type,
                network_type=request.network_type,
                country=request.country,
                currency=request.currency,
                info=request.account_info,
                email=request.email,
                email_code=request.email_code,
            ),
        )
        return schemas.BankAccount.of(account)

    @get("/v1/account/list-account", title="List Bank Account", source="public-name")
    async def list_bank_accounts(
        self, tx: Transaction, merchant: Merchant, query: schemas.BankAccountListQuery
    ) -> Page[schemas.BankAccount]:
        """The merchant's bank accounts, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_bank_accounts(
            self._terms,
            tx,
            merchant.merchant_id,
            query.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.accounts, schemas.BankAccount.of, lambda row: row.bank_account_id)


def _bank_number(bank: registry.Bank) -> int:
    return bank.number
