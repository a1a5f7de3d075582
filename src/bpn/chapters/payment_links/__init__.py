"""The payment links chapter: collect stablecoins from anyone by a link to a hosted page.

Owns the tables `payment_link*`: links, what was paid to them, what arrived and completed none (abnormal funds).
Never guesses from an amount whose money it is: every link has deposit addresses of its own.
"""
