"""All SQL of the tables `stable_*`, one file per table or two that belong together."""
