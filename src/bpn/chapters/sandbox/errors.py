"""The sandbox chapter's refusals."""

from bpn.kernel.errors import Kind, Refusal


class NotSimulated(Refusal):
    """The network is a real one: nothing can be mocked there."""

    code = "NOT_SIMULATED"
    kind = Kind.MISSING


class SimulationUnavailable(Refusal):
    """The simulated outside world does not answer just now."""

    code = "UNAVAILABLE"
    kind = Kind.UNAVAILABLE
