"""The client's window. `state`, `text` and `i18n` know nothing of Tk, which is for the main thread alone."""
