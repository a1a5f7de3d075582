"""BPN, the Better Payment Network: a stablecoin payment platform that a PSP runs itself.

Owns every line of the product; ARCHITECTURE.md names the rooms.
Never imports upward: tests/tidy and import-linter hold the floors.
"""
