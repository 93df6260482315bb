"""The console: what the service knows, for a browser. Reading from the machine itself is open;
everything else needs the password.

guard       who may look, who may change something
views       what the pages show, as plain values; guests are masked unless asked for
app         the pages
"""
