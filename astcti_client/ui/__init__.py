"""The client's window. `model` and what it needs know nothing of Tk; everything of Tk is on the main thread."""
