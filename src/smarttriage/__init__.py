"""Incident triage for IT service desks: classification, retrieval and a knowledge base that grows. Offline first."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("smarttriage")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0.0.0+uninstalled"

__all__ = ["__version__"]
