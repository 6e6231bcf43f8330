"""What the server answers beside the pages: the HTTP API, its event streams, and the files that browsers need. No torch."""
