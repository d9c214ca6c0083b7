"""The creation of a tenant, which happens exactly once, and its end.

A permit (`permits`) is the right to request one tenant. `registration` sends the request. `lost_responses`
determines the result of a request whose response was lost. `tenant_list` reads the organisation's list of all
tenants. `lifetime` takes a tenant down and brings it back.
"""
