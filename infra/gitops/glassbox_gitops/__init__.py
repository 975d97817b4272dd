"""What promote, gate and bootstrap/install do."""
