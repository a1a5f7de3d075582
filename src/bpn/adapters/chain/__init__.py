"""EVM networks: any node by JSON-RPC, and an embedded chain for the sandbox.

Owns how a chain is spoken to.
Never knows what a transfer means to us.
"""
