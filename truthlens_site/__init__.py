"""The site: settings, addresses, health, and the command that runs everything."""
