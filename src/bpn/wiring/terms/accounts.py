"""The accounts chapter's terms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any

from bpn.chapters.accounts.model import AccountTerms, FieldKind, InformationTemplate, TemplateField
from bpn.controls.operations import Controls
from bpn.files.model import FileTerms
from bpn.kernel.encryption import Cipher
from bpn.settings import Settings


def account_terms(
    settings: Settings, cipher: Cipher, controls: Controls, file_terms: FileTerms, source: str
) -> AccountTerms:
    """From the settings, and the name of the bank; none without one."""
    return AccountTerms(
        source=source,
        controls=controls,
        cipher=cipher,
        files=file_terms,
        base_url=settings.base_url,
        templates=_templates(),
        review_above=settings.payout_review_above,
        second_person_above=settings.second_person_above,
        bank_accounts_need_approval=settings.bank_account_approval,
        sub_users_need_approval=settings.sub_user_kyb,
        information_deadline=timedelta(seconds=settings.information_deadline_seconds),
        code_lifetime=timedelta(minutes=10),
        code_tries=5,
        codes_per_hour=settings.email_codes_per_hour,
        batch_limit=settings.bank_batch_limit,
        decides_by_itself=settings.sandbox,
    )


def _templates() -> Mapping[str, InformationTemplate]:
    told: dict[str, Any] = tomllib.loads(files("bpn").joinpath("information_requests.toml").read_text())
    return {
        name: InformationTemplate(
            name,
            one["title"],
            tuple(
                TemplateField(
                    field["name"],
                    field["label"],
                    FieldKind(field["kind"]),
                    field["required"],
                    tuple(field.get("choices", ())),
                )
                for field in one["fields"]
            ),
        )
        for name, one in told.items()
    }
