"""The operator's door: start, stop, look and decide, from the command line.

Owns what is printed and how the processes of an installation are run.
Never reaches past the operations into a table.
"""

from bpn.cli.main import main

__all__ = ["main"]
