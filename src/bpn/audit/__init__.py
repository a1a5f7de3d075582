"""Audit: what an operator decided, by whom and why, in the transaction of the decision.

Owns the table `audit_entries`, which only grows.
Never decides anything, and never knows what a decision is about.
"""
