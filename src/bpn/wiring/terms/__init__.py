"""What each chapter is told of the operator's settings: one file a chapter.

Owns the way from an option to a chapter's terms.
Never opens anything: terms are values.
"""
