"""All SQL of the accounts chapter's tables, one file per table or two that belong together."""
