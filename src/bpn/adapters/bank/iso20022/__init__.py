"""Any bank that exchanges ISO 20022 files: pain.001 out, pain.002 and camt in, numbers from a pool it set aside.

Owns a directory: what is written for the bank, what it has written, what was read.
Never loses a file, and never hands one over twice.
"""
