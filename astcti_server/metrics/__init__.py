"""Figures for Prometheus, and whether the server is well. Loaded only where `<metrics>` is there."""
