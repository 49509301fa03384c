"""From the saved numbers of a run to what is wrong with it, why, and what to do. Free of torch."""
