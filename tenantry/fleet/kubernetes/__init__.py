"""The fleet for the Pulumi Kubernetes Operator: a `Stack` resource for each customer."""
