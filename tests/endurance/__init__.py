"""Hours of calls while everything around fails: `make soak`, see docs/reliability.md."""
