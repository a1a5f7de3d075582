"""What we ask of the outside world and what we do to it, as protocols.

Owns the words in which chapters speak to chains, price sources, banks and mailboxes.
Never knows who answers: that is an adapter, and only wiring knows which.
"""
