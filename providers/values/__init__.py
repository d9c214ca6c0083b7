"""What values may be, each stated once: for the resources and for the check of the stack files."""
