"""The console: what the service knows, for a browser. Reading from the machine itself is open;
everything else needs the password.

app         the pages and the actions
board, line, now, picture, day
            what the pages show, as plain values; guests are masked unless asked for
guard, door who may look, who may change something
press       templates become pages and streams of events
"""
