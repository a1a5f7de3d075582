"""What the provider chapter's operations and events look like on the wire."""

from bpn.chapters.provider.schemas.orders import (
    AcceptRequest,
    CollectionListQuery,
    CollectionOrder,
    CollectionOrderQuery,
    CollectionOrderUpdate,
    RejectRequest,
)
from bpn.chapters.provider.schemas.payouts import (
    UsdBalance,
    UsdBalanceQuery,
    UsdPayout,
    UsdPayoutListQuery,
    UsdPayoutQuery,
    UsdPayoutRequest,
)
from bpn.chapters.provider.schemas.wallets import (
    ChangeStatusRequest,
    CollectionLink,
    CreateLinkRequest,
    SubWallet,
    SubWalletListQuery,
    SubWalletQuery,
    SubWalletUpdate,
)

__all__ = [
    "AcceptRequest",
    "ChangeStatusRequest",
    "CollectionLink",
    "CollectionListQuery",
    "CollectionOrder",
    "CollectionOrderQuery",
    "CollectionOrderUpdate",
    "CreateLinkRequest",
    "RejectRequest",
    "SubWallet",
    "SubWalletListQuery",
    "SubWalletQuery",
    "SubWalletUpdate",
    "UsdBalance",
    "UsdBalanceQuery",
    "UsdPayout",
    "UsdPayoutListQuery",
    "UsdPayoutQuery",
    "UsdPayoutRequest",
]
