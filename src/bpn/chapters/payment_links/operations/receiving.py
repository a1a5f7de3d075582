"""From a deposit at a link's address to a link that is paid, or to an abnormal fund.

Everything here reads what is, and does what follows from it: hearing of a deposit twice, late or in another order
changes nothing. The link's row is held throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bpn.chapters.payment_links import events, rules
from bpn.chapters.payment_links.model import (
    EARMARK,
    OPEN,
    SETTLING,
    Abnormal,
    AbnormalFund,
    FundStatus,
    Label,
    LinkSettings,
    LinkStatus,
    LinkTerms,
    LinkView,
    Payment,
    PaymentLink,
    PaymentStatus,
    Timing,
    TokenKind,
)
from bpn.chapters.payment_links.operations.links import earmark_of, lock_link, save_link, topic_of, views_of
from bpn.chapters.payment_links.operations.settings import settings_of
from bpn.chapters.payment_links.operations.suspense import hold_rest, take_back_rest
from bpn.chapters.payment_links.store import funds, links, payments
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Status
from bpn.chapters.wallet.model import Transaction as Deposit
from bpn.database.page_notices import tell_page_changed
from bpn.database.pool import Transaction
from bpn.kernel.money import Money

_PAYMENT_STATUS = {
    Status.CONFIRMING: PaymentStatus.CONFIRMING,
    Status.SENDER_REQUIRED: PaymentStatus.REVIEWING,
    Status.SCREENING: PaymentStatus.REVIEWING,
    Status.FROZEN: PaymentStatus.FROZEN,
    Status.COMPLETED: PaymentStatus.RECEIVED,
    Status.REJECTED: PaymentStatus.ABNORMAL,
    Status.RETURNING: PaymentStatus.ABNORMAL,
    Status.RETURNED: PaymentStatus.ABNORMAL,
    Status.ORPHANED: PaymentStatus.ORPHANED,
}
_SWEPT_AT_ONCE = 100


@dataclass(slots=True)
class _Desk:
    """A link on the table: what is known of it, changed as it is worked on."""

    terms: LinkTerms
    tx: Transaction
    settings: LinkSettings
    before: PaymentLink
    link: PaymentLink
    payments: dict[int, Payment]
    changed: set[int]

    def put(self, payment: Payment) -> None:
        """Note a payment as it is now."""
        self.payments[payment.transaction_id] = replace(payment, updated_at=self.tx.now)
        self.changed.add(payment.transaction_id)

    def ready(self) -> list[Payment]:
        """Payments that wait for a word, oldest first."""
        return [one for _, one in sorted(self.payments.items()) if one.status is PaymentStatus.READY]


async def follow_deposits(terms: LinkTerms, tx: Transaction, deposits: Sequence[Deposit]) -> None:
    """Look at the links that deposits came to, and do what follows. Deposits of others are passed over."""
    keys = {
        (deposit.merchant_id, deposit.earmark.subject_id)
        for deposit in deposits
        if deposit.earmark is not None and deposit.earmark.kind == EARMARK
    }
    for merchant_id, payment_id in sorted(keys):
        await settle_link(terms, tx, merchant_id, payment_id)


async def list_missed(tx: Transaction) -> list[Deposit]:
    """Cleared deposits of links that nobody has looked at since: their fact was missed."""
    missed = []
    for deposit in await wallet.list_cleared(tx, EARMARK, _SWEPT_AT_ONCE):
        known = await payments.find(tx, deposit.merchant_id, deposit.transaction_id)
        if known is None or known.status in SETTLING:
            missed.append(deposit)
    return missed


async def settle_link(
    terms: LinkTerms, tx: Transaction, merchant_id: int, payment_id: int, *, ending: LinkStatus | None = None
) -> PaymentLink:
    """Bring a link up to date with what lies at its address.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: whose.
        payment_id: which link.
        ending: EXPIRED or CANCELLED, when it is to end unpaid.

    Raises:
        PaymentLinkNotFound: this merchant has no such link.
        InvalidState: it cannot end so.
    """
    link = await lock_link(tx, merchant_id, payment_id)
    settings = await settings_of(terms, tx, merchant_id)
    known = (await payments.of_links(tx, [link]))[payment_id]
    desk = _Desk(terms, tx, settings, link, link, {one.transaction_id: one for one in known}, set())
    await _read_deposits(desk)
    if ending is not None:
        rules.check_transition(link.status, ending)
        at = tx.now if ending is LinkStatus.CANCELLED else None
        desk.link = replace(desk.link, status=ending, cancelled_at=at)
    await _decide(desk)
    await _keep(desk)
    return desk.link


async def _read_deposits(desk: _Desk) -> None:
    link, tx = desk.link, desk.tx
    deposits = await wallet.list_earmark_deposits(tx, link.merchant_id, earmark_of(link))
    cleared = await wallet.cleared_deposits(tx, deposits)
    for deposit in deposits:
        known = desk.payments.get(deposit.transaction_id)
        status = _PAYMENT_STATUS[deposit.status]
        if deposit.status is Status.SCREENING and deposit.transaction_id in cleared:
            status = PaymentStatus.READY
        if known is None:
            desk.put(_payment(link, deposit, status))
        elif known.status is not status or known.block_time != deposit.block_time:
            await _follow(desk, known, deposit, status)
        elif known.confirmations != deposit.confirmations:
            desk.put(replace(known, confirmations=deposit.confirmations))
    if link.seen_at is None and any(one.status is not PaymentStatus.ORPHANED for one in desk.payments.values()):
        desk.link = replace(desk.link, seen_at=tx.now)


async def _follow(desk: _Desk, known: Payment, deposit: Deposit, status: PaymentStatus) -> None:
    """A deposit has a new state that is not our doing."""
    moved = replace(
        known,
        status=status,
        block_time=deposit.block_time or known.block_time,
        confirmations=deposit.confirmations,
    )
    if status is PaymentStatus.ORPHANED:
        desk.put(replace(moved, labels=(), counted=Money.zero(known.amount.asset)))
        await _forget_funds(desk, known)
        if known.status is PaymentStatus.RECEIVED:
            desk.link = _reopened(desk)
    elif known.status is status and status not in SETTLING:
        # A reorg moved it to another block after it was decided: the word stands.
        return
    elif status is PaymentStatus.ABNORMAL:
        # The operator refused it, or nobody said who sent it.
        desk.put(moved)
        await _add_fund(desk, moved, moved.amount, moved.labels, reason=deposit.fail_reason)
    elif status is not PaymentStatus.RECEIVED:
        desk.put(moved)


def _reopened(desk: _Desk) -> PaymentLink:
    """A paid link whose money a reorg took away: it waits again, if its time is not over."""
    link = desk.link
    if link.status is not LinkStatus.COMPLETED:
        return link
    over = rules.time_is_over(link, desk.tx.now)
    following = LinkStatus.CANCELLED if link.cancelled_at else LinkStatus.EXPIRED if over else LinkStatus.ACTIVE
    return replace(link, status=following, completed_at=None, labels=())


async def _forget_funds(desk: _Desk, payment: Payment) -> None:
    for fund in await funds.lock_of_deposit(desk.tx, payment.merchant_id, payment.transaction_id):
        if FundStatus.ORPHANED in rules.following_of(fund.status):
            if payment.status is PaymentStatus.RECEIVED:
                await take_back_rest(desk.tx, fund)
            await save_fund(desk.tx, replace(fund, status=FundStatus.ORPHANED))


def _payment(link: PaymentLink, deposit: Deposit, status: PaymentStatus) -> Payment:
    return Payment(
        merchant_id=link.merchant_id,
        payment_id=link.payment_id,
        transaction_id=deposit.transaction_id,
        amount=deposit.amount,
        counted=Money.zero(deposit.amount.asset),
        status=status,
        labels=(),
        hash=deposit.hash or "",
        from_address=deposit.from_address,
        to_address=deposit.to_address or "",
        block_time=deposit.block_time or deposit.created_at,
        confirmations=deposit.confirmations,
        required_confirmations=deposit.required_confirmations,
        created_at=deposit.created_at,
        updated_at=deposit.updated_at,
    )


async def _decide(desk: _Desk) -> None:
    """Judge what is ready, in order: until the sum suffices it is kept, then all of it is given to the wallet."""
    gathered: list[Payment] = []
    for payment in desk.ready():
        case, verdict = rules.judge(desk.link, payment, rules.sums_with(payment, _before(desk, payment)), desk.settings)
        counts = case.token is TokenKind.RIGHT and case.time is Timing.IN_TIME
        if not counts and verdict.abnormal is Abnormal.ALL:
            desk.link = replace(desk.link, labels=rules.labels_after(desk.link.labels, case, verdict))
            await _set_aside(desk, payment, verdict.fund_labels)
            continue
        if desk.link.completed_at is None:
            desk.link = replace(desk.link, labels=rules.labels_after(desk.link.labels, case, verdict))
        gathered.append(payment)
        if verdict.status is LinkStatus.COMPLETED:
            await _complete(desk, gathered, verdict.abnormal, verdict.fund_labels)
            gathered = []
    if desk.link.status not in OPEN:
        for payment in gathered:
            labels = rules.ordered({*desk.link.labels, Label.UNDER})
            desk.link = replace(desk.link, labels=labels)
            await _set_aside(desk, payment, (Label.UNDER,))


def _before(desk: _Desk, payment: Payment) -> list[Payment]:
    """What was decided before, or is ready and older."""
    return [
        one
        for one in desk.payments.values()
        if one.status is not PaymentStatus.READY or one.transaction_id < payment.transaction_id
    ]


async def _complete(desk: _Desk, gathered: Sequence[Payment], abnormal: Abnormal, fund_labels: Sequence[Label]) -> None:
    """Give what was gathered to the wallet; what is above the amount due stays in suspense."""
    link, tx = desk.link, desk.tx
    due = link.choice.amount if link.choice else gathered[-1].amount
    received = sum(one.counted.minor for one in desk.payments.values() if one.amount.asset == due.asset)
    over = received + sum(one.amount.minor for one in gathered) - due.minor if abnormal is Abnormal.REST else 0
    for payment in gathered:
        last = payment is gathered[-1]
        rest = Money(over if last else 0, due.asset)
        also = [hold_rest(tx, payment, link.wallet_id, rest)] if rest.minor else []
        await wallet.assign_deposit(tx, link.merchant_id, payment.transaction_id, also)
        counted = replace(
            payment,
            status=PaymentStatus.RECEIVED,
            counted=payment.amount - rest,
            labels=tuple(fund_labels) if rest.minor else (),
        )
        desk.put(counted)
        if rest.minor:
            await _add_fund(desk, counted, rest, fund_labels)
    rules.check_transition(link.status, LinkStatus.COMPLETED)
    desk.link = replace(link, status=LinkStatus.COMPLETED, completed_at=tx.now)


async def _set_aside(desk: _Desk, payment: Payment, labels: Sequence[Label]) -> None:
    reason = f"Not counted for payment {desk.link.payment_id}: {', '.join(labels)}."
    await wallet.set_deposit_aside(desk.tx, payment.merchant_id, payment.transaction_id, reason)
    aside = replace(payment, status=PaymentStatus.ABNORMAL, labels=tuple(labels))
    desk.put(aside)
    await _add_fund(desk, aside, aside.amount, labels)


async def _add_fund(
    desk: _Desk, payment: Payment, amount: Money, labels: Sequence[Label], reason: str | None = None
) -> None:
    tx = desk.tx
    existing = await funds.lock_of_deposit(tx, payment.merchant_id, payment.transaction_id)
    fund = AbnormalFund(
        merchant_id=payment.merchant_id,
        abnormal_fund_id=tx.ids.next(),
        transaction_id=payment.transaction_id,
        part=len(existing) + 1,
        payment_id=payment.payment_id,
        linked_payment_id=None,
        wallet_id=desk.link.wallet_id,
        amount=amount,
        hash=payment.hash,
        from_address=payment.from_address,
        labels=tuple(labels),
        status=FundStatus.PENDING,
        action=None,
        refund_address=None,
        reason=reason,
        fee=None,
        refund_transaction_id=None,
        refund_hash=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await save_fund(tx, fund)


async def save_fund(tx: Transaction, fund: AbnormalFund) -> AbnormalFund:
    """Keep a fund as it is now, and tell the merchant."""
    saved = replace(fund, updated_at=tx.now)
    await funds.put(tx, saved)
    await events.fund_changed(tx, saved)
    return saved


async def _keep(desk: _Desk) -> None:
    """Write what has changed, and tell of it."""
    tx, link = desk.tx, desk.link
    for transaction_id in sorted(desk.changed):
        payment = desk.payments[transaction_id]
        await payments.put(tx, payment)
        await events.payment_changed(tx, payment, link)
    if link != desk.before:
        desk.link = replace(link, updated_at=tx.now)
        await save_link(tx, desk.terms, desk.link)
    elif desk.changed:
        await tell_page_changed(tx, topic_of(link))


async def expire_links(terms: LinkTerms, tx: Transaction, limit: int = 100) -> int:
    """End links whose time is over, some at a time; returns how many ended.

    A block before the end counts however late it is read: a link with a choice ends only once its network is read up
    to its end, and not while what came in time suffices and is being confirmed.
    """
    ended = 0
    read = {name: until for name in terms.wallet.networks if (until := await wallet.read_until(tx, name)) is not None}
    for link in await links.lock_over(tx, tx.now, read, limit):
        if link.choice is not None:
            came = (await payments.of_links(tx, [link]))[link.payment_id]
            settings = await settings_of(terms, tx, link.merchant_id)
            if not rules.may_expire(link, came, settings):
                continue
        await settle_link(terms, tx, link.merchant_id, link.payment_id, ending=LinkStatus.EXPIRED)
        ended += 1
    return ended


async def cancel_payment_link(terms: LinkTerms, tx: Transaction, merchant_id: int, payment_id: int) -> LinkView:
    """Call a link back: nothing more is expected. What came and did not complete it becomes abnormal.

    Raises:
        PaymentLinkNotFound: this merchant has no such link.
        InvalidState: it is completed, expired or cancelled already.
    """
    link = await settle_link(terms, tx, merchant_id, payment_id, ending=LinkStatus.CANCELLED)
    (view,) = await views_of(terms, tx, [link])
    return view


async def tell_confirmations(tx: Transaction, network: str, limit: int = 500) -> int:
    """Note the newest counts of confirmations and tell those who watch; returns how many changed."""
    waiting = await payments.confirming(tx, network, limit)
    if not waiting:
        return 0
    counts = await wallet.count_confirmations(tx, [(one.merchant_id, one.transaction_id) for one in waiting])
    changed = await payments.set_confirmations(tx, counts)
    for payment_id in dict.fromkeys(changed):
        await tell_page_changed(tx, f"link:{payment_id}")
    return len(changed)
