"""How HTTP speaks: signatures, replay, idempotency, envelope, errors, the OpenAPI document.

Owns the door that every signed request goes through, and the tables `api_*`.
Never knows what an operation does; it only opens its transaction and sends its answer.
"""
