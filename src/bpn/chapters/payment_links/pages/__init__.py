"""The hosted page: what a payer sees of a link, and the forms that are filled in there.

Owns the templates and the words of the page, in every language.
Never decides what a payment is: it shows what the operations say.
"""
