"""What users made in a tenant, saved on this machine before the tenant is purged."""
