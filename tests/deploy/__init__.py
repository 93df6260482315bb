"""What a site installs: unit, package, scripts."""
