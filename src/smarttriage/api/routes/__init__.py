"""One file for each group of routes. Routes translate: wire to domain, call the service, domain to wire."""
