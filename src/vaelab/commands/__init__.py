"""What the commands of `vaelab` that use a trained model do."""
