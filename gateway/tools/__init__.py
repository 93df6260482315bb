"""The technician's tools. They use the same classes as the service and open nothing behind it."""
