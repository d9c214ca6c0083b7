"""Export of what users created in a tenant, before Qlik purges it."""
