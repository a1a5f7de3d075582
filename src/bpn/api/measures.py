"""What is measured of the API, for Prometheus."""

from prometheus_client import Histogram

REQUESTS = Histogram(
    "bpn_request_seconds",
    "Time from the first byte read to the answer ready, by operation and HTTP status.",
    ["operation", "status"],
)
