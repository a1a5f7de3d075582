"""Who answers at the ports: chains, price sources, signers, receivers, the embedded database server.

Owns every line that speaks a foreign protocol.
Never knows more of ours than its port and the kernel; only wiring knows it.
"""
