"""The fleet as the Pulumi Kubernetes Operator runs it: a `Stack` resource for each customer."""
