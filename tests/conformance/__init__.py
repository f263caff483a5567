"""Which requirement is proved by which test, and the page that says so."""
