"""What the product does, one folder per chapter of the API.

Owns the business: each chapter its operations, its tables, its facts.
Never reaches sideways: a chapter calls only those on lower shelves.
"""
