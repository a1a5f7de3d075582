"""How each chapter is built in: one file a chapter, one list of all.

Owns a chapter's routes, pages, jobs and the adapters that they act through.
Never holds a rule of the chapter.
"""
