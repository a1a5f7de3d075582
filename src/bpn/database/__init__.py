"""PostgreSQL: the pool, the transaction every operation runs in, notices between processes, migrations.

Owns how we talk to the one database; the tables belong to the rooms that name them.
Never knows what the rows mean.
"""
