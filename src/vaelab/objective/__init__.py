"""The objective: terms of one value per example, their weights and schedules, and the KL divergence."""
