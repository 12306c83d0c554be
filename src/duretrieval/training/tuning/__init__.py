"""The search for settings, and its report."""
