"""Plain Python: incidents, articles, priorities, taxonomy, suggestions. No library, no I/O but reading text given to it."""
