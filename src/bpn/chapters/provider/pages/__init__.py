"""The page on which a provider's customer confirms its name and sees where to be paid."""
