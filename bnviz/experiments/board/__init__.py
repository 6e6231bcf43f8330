"""All experiments together: the catalog, their lessons, their claims, and running one without a page."""
