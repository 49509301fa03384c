"""What training validates with: a pass over a split, the metrics of a batch, snapshots. No titles here."""
