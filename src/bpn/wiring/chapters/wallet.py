"""How the wallet chapter is built in."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Protocol

from bpn.adapters.signer.local import LocalSigner
from bpn.adapters.signer.remote import RemoteSigner
from bpn.api.route import Route, collect
from bpn.chapters.wallet.jobs import (
    Carrier,
    ReadingJobs,
    ReleasingJobs,
    SendingJobs,
    SurveyJobs,
    SweepingJobs,
    sweep_listener,
)
from bpn.chapters.wallet.model import Network
from bpn.chapters.wallet.routes import WalletRoutes
from bpn.jobs.job import Job, collect_jobs
from bpn.ports.readers import ChainReader, ScreeningReader
from bpn.ports.senders import Signer, TransactionSender
from bpn.wiring.chains import evm_chain
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House, wallet_seed
from bpn.wiring.screening import screening_reader


def wallet_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(WalletRoutes(house.wallet_terms))


class Chain(ChainReader, TransactionSender, Protocol):
    """One network, read and sent to."""


async def wallet_work(house: House, closing: AsyncExitStack) -> Work:
    """One set of jobs for each network."""
    settings = house.settings
    signer = await _signer(house, closing)
    screening = screening_reader(settings, closing)
    jobs = []
    for name, network in house.wallet_terms.networks.items():
        chain = evm_chain(house, name)
        closing.push_async_callback(chain.close)
        jobs += network_jobs(house, network, chain, signer, screening)
    return Work(jobs, [sweep_listener()])


def network_jobs(house: House, network: Network, chain: Chain, signer: Signer, screening: ScreeningReader) -> list[Job]:
    """What a worker does for one network, with whoever answers behind its ports."""
    opener, terms = house.database.transaction, house.wallet_terms
    carrier = Carrier(opener, terms, network, chain, chain, signer, house.clock)
    return [
        job
        for jobs in (
            ReadingJobs(opener, terms, network, chain),
            SurveyJobs(opener, terms, network, chain),
            ReleasingJobs(opener, terms, network, screening),
            SendingJobs(opener, terms, network, carrier, screening),
            SweepingJobs(opener, terms, network, chain, carrier),
        )
        for job in collect_jobs(jobs, "wallet", network.name)
    ]


async def _signer(house: House, closing: AsyncExitStack) -> Signer:
    settings = house.settings
    if settings.signer_url is None:
        async with house.database.transaction() as tx:
            return LocalSigner(await wallet_seed(tx, house.cipher))
    token = None if settings.signer_token is None else settings.signer_token.get_secret_value()
    signer = RemoteSigner(
        settings.signer_url,
        house.wallet_terms.account_public_key,
        timeout_seconds=settings.signer_timeout_seconds,
        token=token,
    )
    closing.push_async_callback(signer.close)
    return signer
