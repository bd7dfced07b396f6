"""The client's window. `model` and what it needs know nothing of Tk, which is for the main thread alone."""
