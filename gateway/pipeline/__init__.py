"""A record's way: pump (PMS side), intake (into house and store), plan (pure), relay (UCM side)."""
