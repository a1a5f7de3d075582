"""The wallet chapter's jobs: read the chain, release deposits, send withdrawals."""

from bpn.chapters.wallet.jobs.carrier import Carrier
from bpn.chapters.wallet.jobs.reading import ReadingJobs
from bpn.chapters.wallet.jobs.releasing import ReleasingJobs
from bpn.chapters.wallet.jobs.sending import SendingJobs
from bpn.chapters.wallet.jobs.surveying import SurveyJobs
from bpn.chapters.wallet.jobs.sweeping import SweepingJobs, sweep_listener

__all__ = [
    "Carrier",
    "ReadingJobs",
    "ReleasingJobs",
    "SendingJobs",
    "SurveyJobs",
    "SweepingJobs",
    "sweep_listener",
]
