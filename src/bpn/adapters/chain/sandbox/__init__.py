"""The sandbox's chain: a real EVM in process, its state on disk, reached by JSON-RPC like any node.

Owns the chain's store, its blocks and its server.
Never credits anything: what is sent here is found like any other transfer.
"""
