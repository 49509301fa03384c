"""Pictures: each function takes saved arrays or tables and returns a matplotlib Figure."""
