"""Where files lie: a directory, or any store that speaks S3.

Owns how bytes are put, so that they are there whole or not at all.
Never sees a file unsealed.
"""
