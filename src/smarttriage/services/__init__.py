"""Verbs of the product over the ports: triage, learning, indexing, training, evaluation."""
