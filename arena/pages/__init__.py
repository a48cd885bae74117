"""What is drawn for a browser: reports, and games as films."""
