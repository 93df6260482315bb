"""What a browser, a scraper or a command asks of the running service."""
