"""The workflows for GitHub and GitLab, with real scripts on this machine and simulations of the forges."""
