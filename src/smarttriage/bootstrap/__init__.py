"""The only package that names adapters: Settings in, objects out."""
