"""What resources look up at Qlik: templates, apps in its catalog, people, roles, and the preflight."""
