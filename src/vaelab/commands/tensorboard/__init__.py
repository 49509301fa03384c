"""`vaelab tensorboard`: a process of its own that turns what trainings write into events, and shows them."""
