"""A Grandstream UCM: its two APIs over HTTPS, and what they call things."""
