"""All that is relied on of Pulumi that its documentation does not promise, one coupling to a module."""
