"""The process: everything is built, started, reloaded, watched and stopped here."""
