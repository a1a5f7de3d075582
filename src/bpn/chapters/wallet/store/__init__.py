"""All SQL of the tables `wallet*`, one file per table or two that belong together."""
