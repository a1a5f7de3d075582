"""All SQL of the tables `collection_*` and `usd_payouts`, one file per table."""
