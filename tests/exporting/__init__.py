"""Exports of what users made in a tenant."""
