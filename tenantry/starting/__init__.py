"""The files that `tenantry init` and `tenantry new` write: a repository, and the stack file of a customer.

`files/` holds the templates of the repository. Words between @ signs, such as @REGION@, are replaced by the
operator's choices.
"""
