"""`vaelab treat`: prescriptions are tried, each as a DVC experiment of its own."""
