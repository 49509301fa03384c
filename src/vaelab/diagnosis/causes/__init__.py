"""All causes, in the order in which one leads to the next: data, optimisation, objective, capacity, decision."""
