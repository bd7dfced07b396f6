"""Why a call popped up or not: trails of what was decided, kept for a while, and the verdict on them."""
