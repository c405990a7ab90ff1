"""A finding explained in context: what the object does now, why that does not work on AKS, what changes or waits, what to read on.

passage      the part of an article that a rule needs      excerpt   the lines of the file around a place
change       what a fix does, and what waits for whom      finding   all of it together
"""
