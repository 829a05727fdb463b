"""The HTTP API: routes, wire schemas, errors. `create_app` in `api.app` puts them together."""
