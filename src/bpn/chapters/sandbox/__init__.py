"""The sandbox chapter: the levers of the simulated outside world, as API operations.

Owns nothing: it pulls the simulation's ports and lets the real chapters find what happened.
Never exists where a real rail is configured, and never credits anything itself.
"""
