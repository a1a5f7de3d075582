"""The database server itself: an embedded PostgreSQL for those who bring none.

Owns the server's files and process.
Never looks inside the databases.
"""
