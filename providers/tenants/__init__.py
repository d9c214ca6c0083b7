"""How a tenant comes to be, exactly once, and how it ends.

`permits` is the right to ask Qlik for one, `registration` does it, `lost_answers` says what came of a request
whose answer is not known, `tenant_list` is the organisation's list of all tenants, and `lifetime` takes
a tenant down and brings it back.
"""
