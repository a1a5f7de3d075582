"""`bpn bench`: one table of speeds, each as a ratio to `pgbench` on the same server in the same run.

Owns the figures, one file a subject, and the loads that they are measured with.
Never asserts a time: a figure has a bar, and the table says whether it was reached.
"""
