"""The boundary around a language model (DESIGN 6.6): what leaves, what comes back, and the loop between. Pure; the model is a port.

open_case   a violation made ready, or why no model is asked        redaction, slices, prompt   what leaves
repair      the loop, at most three tries                           answer, limits, trial       what comes back
told_by     a finding explained in a model's words, or why not      (explaining)
"""
