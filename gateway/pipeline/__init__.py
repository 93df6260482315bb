"""The way of a record: pump (PMS side), intake (the desk), plan (pure), relay (UCM side)."""
