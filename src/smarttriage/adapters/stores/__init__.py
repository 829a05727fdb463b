"""Stores: the truth of the service."""
