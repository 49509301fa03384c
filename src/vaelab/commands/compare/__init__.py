"""`vaelab compare`: configurations composed, run as one DVC experiment, collected."""
