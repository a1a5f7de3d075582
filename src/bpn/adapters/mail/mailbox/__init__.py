"""The sandbox's mailbox: an SMTP server that takes every message, and a page to read them.

Owns a folder of messages, the newest ones.
Never sends anything on.
"""
