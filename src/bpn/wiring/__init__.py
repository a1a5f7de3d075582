"""The only room that knows everything: settings in, running parts out. Plain lists, no discovery.

Owns which adapter stands behind which port, and which fact becomes which event.
Never decides anything about money.
"""
