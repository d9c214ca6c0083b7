"""Workflows for GitHub and GitLab, on this machine: scripts as they are, the rest by folders."""
