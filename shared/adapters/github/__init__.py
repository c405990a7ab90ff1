"""GitHub behind the ports of shared/domain/code_{host,writer,review}.py and deployment.py; the only package that knows PyGithub.

client.py makes every call (one connection per thread), credentials.py has what it is made with (App or token), errors.py says what an
answer means. One file per port: read.py (commits, trees, files), write.py (branches, pull requests), checks.py (check runs), reviews.py
(suggestions), scanning.py (SARIF), deploy.py (workflows).
"""
