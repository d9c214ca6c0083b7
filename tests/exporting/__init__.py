"""Exports of what users created in a tenant."""
