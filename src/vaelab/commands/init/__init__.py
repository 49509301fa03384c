"""`vaelab init`, `upgrade` and `add`: projects of users, which have the pipeline and not the library."""
