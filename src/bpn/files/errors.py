"""Refusals about files."""

from bpn.kernel.errors import Kind, Refusal


class FileNotFound(Refusal):
    """The merchant has no file of this id, or it was erased."""

    code = "FILE_NOT_FOUND"
    kind = Kind.MISSING


class FileUnavailable(Refusal):
    """Where files are kept does not answer; ask again later."""

    code = "UNAVAILABLE"
    kind = Kind.UNAVAILABLE
