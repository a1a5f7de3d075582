"""Facts: what happened, written in the transaction in which it happened, told on afterwards.

Owns the table `outbox_facts`.
Never knows who listens, nor what a fact means.
"""
