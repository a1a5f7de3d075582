"""The webhooks chapter: tells merchants what happened, signed, until their endpoint has said that it knows.

Owns the tables `webhook_*`: endpoints, events, deliveries and every attempt.
Never changes what an event reports, and never lets one endpoint wait for another.
"""
