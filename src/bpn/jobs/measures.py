"""What is measured of the jobs, for Prometheus."""

from prometheus_client import Histogram

JOB_SECONDS = Histogram("bpn_job_seconds", "Time a job took, by job.", ["job"])
