"""Manifests of the fleet for the Pulumi Kubernetes Operator, with a `Stack` resource for each customer."""
