"""Who of the operators is there, and what he does: told to those clients that asked."""
