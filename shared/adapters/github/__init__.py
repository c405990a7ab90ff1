"""GitHub behind the ports of shared/domain/code_host.py; the only package that knows PyGithub.

credentials.py (App or token), client.py (connections, one way to make a call), errors.py (what an answer means), read.py.
"""
