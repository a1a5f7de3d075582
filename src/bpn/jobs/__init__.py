"""How work happens later: jobs on schedules and after facts, the relay that hands facts on.

Owns the use of Procrastinate, whose queue holds nudges; the truth about work due is in the chapters' rows.
Never knows what a job does.
"""
