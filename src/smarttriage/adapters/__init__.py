"""What stands behind each port. Only `smarttriage.bootstrap` names these modules."""
