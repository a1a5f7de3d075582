"""Pages for people: templates, languages, static files, and changes told to those who watch a page.

Owns how HTML leaves the house: escaped, under one strict policy, with nothing from elsewhere.
Never decides what a page says: a chapter's `pages` room does.
"""
