"""Posts to merchants' URLs, and sees to it that such a URL leads nowhere inside.

Owns connecting, time limits and what is kept of an answer.
Never signs and never decides what to try again.
"""
