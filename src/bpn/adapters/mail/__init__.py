"""Mail: any SMTP server, and a mailbox of our own for the sandbox.

Owns how a message is handed over.
Never knows what a message is for.
"""
