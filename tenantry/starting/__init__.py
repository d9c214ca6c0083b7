"""What `tenantry init` and `tenantry new` write: an operator's own repository, and a customer's file in it.

`files/` holds the repository as it is written. Words between @ signs, such as @REGION@, stand for what the
operator chose.
"""
