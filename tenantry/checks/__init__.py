"""Checks of settings against Qlik and the states of all stacks, before anything is created."""
