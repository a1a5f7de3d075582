"""`bpn demo`: the main jobs in a fresh sandbox, through signed HTTP, with everything that happens printed.

Owns the scenes, one file a chapter, and the stage that they are played on.
Never reaches into the installation: it does what a merchant could do.
"""
