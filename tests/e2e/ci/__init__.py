"""Runs the workflows for GitHub and GitLab on this machine: real scripts, and folders for the rest."""
