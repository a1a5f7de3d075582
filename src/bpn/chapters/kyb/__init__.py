"""The KYB chapter: a merchant shares who its customers are, and hears whether they are accepted.

Owns the table `kyb_sub_users`: sub users with their state, their details sealed.
Never shows a detail to anybody but the operator and the merchant that shared it, and never writes one to a log.
"""
