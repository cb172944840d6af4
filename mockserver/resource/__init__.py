"""What one endpoint owns."""
