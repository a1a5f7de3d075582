"""What is agreed with a bank that exchanges files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """Our account at the bank in one currency: payments leave from it, statements are of it.

    Attributes:
        number: an IBAN, or the account number as the bank writes it in its statements.
        name: of its holder.
        bic: of the bank, where it is wanted.
    """

    number: str
    name: str
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class FileTerms:
    """Where files are exchanged, and by whom.

    Attributes:
        directory: holds `outbox`, `archive`, `inbox`, `done`, `failed` and `numbers`, all on one file system.
        initiator: our name in payment files.
        accounts: by currency.
        quiet_seconds: a file that changed later than so long ago may still be growing.
    """

    directory: Path
    initiator: str
    accounts: Mapping[str, OwnAccount]
    quiet_seconds: float = 5
