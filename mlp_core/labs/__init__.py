"""What single pages compute beside the engine."""
