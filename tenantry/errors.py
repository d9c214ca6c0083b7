"""The root of all expected errors of Tenantry, and the tree of these errors.

```
TenantryError
├── BundleRefused                          a repository cannot be sent to workers, or arrived changed
├── CallFailed                             a function in a separate process returned no result
├── CannotForget                           a tenant cannot be removed from the state of its stack
├── CannotRename                           a stack cannot be renamed
├── ClusterUnusable                        a Dask cluster cannot be used
├── DocumentTooLarge                       a YAML file is nested too deeply, or its aliases make it too large
├── Doubt                                  it is unknown whether the engine would change a stack
├── ExportRefused                          the content of a tenant cannot be exported
├── Failure                                an error whose text is all that the user of `pulumi` sees
├── ForgeError                             a comment or issue cannot be posted at GitHub or GitLab
│   └── NoForge                            the environment is neither GitHub nor GitLab
├── ImportRefused                          a tenant cannot be imported
├── LocksUnknown                           `pulumi` says neither who holds a lock nor that nobody does
├── ManifestsRefused                       manifests for Kubernetes cannot be written
├── NotWritten                             a repository or stack file cannot be written
├── PulumiFailed                           a `pulumi` command failed
│   ├── NewerState                         a newer Tenantry has written the state
│   ├── NoSuchStack                        the backend has no such stack
│   ├── StateChanged                       another run has changed the state in the meantime
│   └── StateRefused                       the state names code that is not from Tenantry
├── QlikError                              any error between Tenantry and Qlik Cloud
│   ├── ConfigurationError                 the environment or an argument is unusable; no request was sent
│   │   ├── CredentialsCommandFailed       QLIK_CREDENTIALS_COMMAND failed
│   │   ├── CredentialsMissing             no OAuth client is configured for the host
│   │   ├── EndpointRefused                QLIK_CLOUD_ENDPOINT is not a loopback address
│   │   └── HostRefused                    the host is not in Qlik Cloud
│   ├── DeadlineExceeded                   the time for the whole operation is over
│   ├── RequestFailed                      a request failed
│   │   ├── ApiError                       Qlik returned an error
│   │   │   ├── Conflict                   409: an object with this natural key exists
│   │   │   ├── Forbidden                  403: not allowed
│   │   │   ├── HostUnknown                404 for a token: Qlik does not know the host
│   │   │   ├── NotFound                   404 or 410: absent, or not visible
│   │   │   ├── PreconditionFailed         412: the object is in another state
│   │   │   ├── RateLimited                429, and the wait would exceed the deadline
│   │   │   ├── ReloadIsPending            429: a reload of the app has not ended
│   │   │   ├── ServerError                5xx
│   │   │   ├── TenantDisabled             401: the tenant is deactivated
│   │   │   ├── Unauthorized               401: Qlik does not accept the client or its token
│   │   │   └── UnexpectedResponse         a response that the API does not describe
│   │   ├── ConnectionFailed               no usable response: network, TLS or timeout
│   │   └── ResponseLost                   the result of a request that must not be repeated is unknown
│   └── ResourceError                      a resource cannot become what the file says
│       ├── AdoptionUndecided              several objects match the one to adopt
│       ├── AliasRefused                   a tenant cannot have the alias
│       ├── AlreadyDifferent               an object with that name exists, and Qlik cannot change it
│       ├── AlreadyExists                  an object with that name exists that this stack did not create
│       ├── Ambiguous                      several objects have that name
│       ├── CheckpointsRefused             the engine is configured not to save its state
│       ├── EmailTaken                     another user has the e-mail address
│       ├── HeldByAnother                  another resource of this stack holds the object
│       ├── HolderUnknown                  it is unknown whether another resource holds the object
│       ├── LoginServiceUnusable           the login service does not respond as expected
│       ├── NameTaken                      an object that this stack did not create has the new name
│       ├── NoRecoveryAdmin                nobody could administer the tenant if the login failed
│       ├── NotEmpty                       a space still has content
│       ├── NotProven                      a 404 that does not prove that the object is gone
│       ├── NotReady                       created, but not usable within the time allowed
│       ├── NotReleased                    Qlik did not release entitlements of the tenant's users
│       ├── OtherLogin                     an identity provider from outside Tenantry is active
│       ├── PartlyDone                     Qlik made only some of the changes
│       ├── PersonAmbiguous                several people have the e-mail address or subject
│       ├── PersonNotFound                 nobody has the e-mail address or subject
│       ├── ReloadFailed                   a reload of an app ended without success
│       ├── ReloadPending                  a reload of an app did not end within the time allowed
│       ├── StateUnreadable                the state of the stack cannot be read
│       ├── TemplateAmbiguous              several apps have the name and version
│       ├── TemplateNotFound               no app has the name and version, or it is not visible
│       ├── TenantGone                     the tenant to revive, or the tenant in the state, does not exist
│       ├── TenantUndecided                an earlier run may have created a tenant; a person decides
│       │   └── NothingCreated                it is certain that no tenant was created
│       ├── TrialEnded                     a trial that has ended cannot get a tenant
│       ├── Unfinished                     created but not complete; the next `pulumi up` continues
│       ├── UnknownRole                    the tenant does not have the role
│       └── UseUnknown                     it is unknown whether other tenants use an entitlement
├── RunRefused                             the user did not agree to a run
├── SettingsError                          stack files or plans have problems
├── SetupError                             the Pulumi CLI cannot be installed
├── SmokeTestRefused                       `tenantry smoke` cannot test a tenant
├── UnknownRef                             a git reference does not name a commit
├── UnknownRegion                          there is no tenant in the region
├── UnknownSelection                       the requested stack, ring, plan or tag does not exist
├── UnusableKey                            a file has no private key that can sign
└── UnusableTarget                         notifications cannot go to the address
```

Each message says what failed and where, what Qlik or Pulumi said, and what to do next. No message contains a
secret. This module imports nothing of the project, so that every package can add its errors to the tree.
"""

from __future__ import annotations


class TenantryError(Exception):
    """An expected error. Its text is for the user, without a traceback."""
