"""A client for Qlik Cloud, with tokens, retries, rate limits and errors.

```python
from tenantry.providers.qlik import Cloud, deadline

with Cloud.from_environment() as cloud, deadline(60):
    tenant = cloud.tenant("x1y2.eu.qlikcloud.com")
    for space in tenant.list("/api/v1/spaces"):
        print(space["name"])
```

Importing this package is fast, because the first request imports the HTTP library.
"""

from __future__ import annotations

from tenantry.providers.qlik.cloud import Cloud
from tenantry.providers.qlik.deadlines import Clock, Deadline, current_deadline, deadline
from tenantry.providers.qlik.errors import (
    ApiError,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    CredentialsCommandFailed,
    CredentialsMissing,
    DeadlineExceeded,
    EndpointRefused,
    Forbidden,
    HostRefused,
    HostUnknown,
    NotFound,
    PreconditionFailed,
    Problem,
    QlikError,
    RateLimited,
    ReloadIsPending,
    RequestFailed,
    ResponseLost,
    ServerError,
    TenantDisabled,
    Unauthorized,
    UnexpectedResponse,
)
from tenantry.providers.qlik.host import Host

__all__ = [
    "ApiError",
    "Clock",
    "Cloud",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "CredentialsCommandFailed",
    "CredentialsMissing",
    "Deadline",
    "DeadlineExceeded",
    "EndpointRefused",
    "Forbidden",
    "Host",
    "HostRefused",
    "HostUnknown",
    "NotFound",
    "PreconditionFailed",
    "Problem",
    "QlikError",
    "RateLimited",
    "ReloadIsPending",
    "RequestFailed",
    "ResponseLost",
    "ServerError",
    "TenantDisabled",
    "Unauthorized",
    "UnexpectedResponse",
    "current_deadline",
    "deadline",
]
