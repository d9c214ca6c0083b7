"""The root of all errors that Tenantry foresees, and the whole tree of them.

```
TenantryError
├── BundleRefused                          a repository cannot be sent to workers, or is not what was sent
├── CallFailed                             a function has no result from a process of its own
├── CannotForget                           a tenant cannot be taken out of the state of its stack
├── CannotRename                           a stack cannot have another name
├── ClusterUnusable                        a Dask cluster cannot be used
├── Doubt                                  whether the engine would change a stack cannot be told
├── ExportRefused                          the content of a tenant cannot be exported
├── Failure                                an error whose text alone reaches the user of `pulumi`
├── ForgeError                             a comment or issue cannot be posted at GitHub or GitLab
│   └── NoForge                            the environment names neither of them
├── ImportRefused                          a tenant cannot be imported
├── KeyUnfit                               a file holds no private key that can sign
├── ManifestsRefused                       manifests for Kubernetes cannot be written
├── NoLocksTold                            `pulumi` says neither who holds a lock nor that nobody does
├── NotWritten                             a repository or stack file cannot be written
├── PulumiFailed                           a `pulumi` command failed
│   ├── NewerState                         a newer Tenantry has written the state
│   ├── NoSuchStack                        the backend has no such stack
│   ├── StateChanged                       another run has written the state meanwhile
│   └── StateRefused                       the state names code that is none of Tenantry's
├── QlikError                              everything between Tenantry and Qlik Cloud
│   ├── ConfigurationError                 the environment or an argument cannot be used; nothing was sent
│   │   ├── CredentialsCommandFailed       QLIK_CREDENTIALS_COMMAND failed
│   │   ├── CredentialsMissing             no OAuth client is configured for the host
│   │   ├── EndpointRefused                QLIK_CLOUD_ENDPOINT is not a loopback address
│   │   └── HostRefused                    a host outside of Qlik Cloud
│   ├── DeadlineExceeded                   the time for the whole operation is over
│   ├── RequestFailed                      a request failed
│   │   ├── AnswerLost                     a request that must not be repeated was sent, and nobody knows
│   │   ├── ApiError                       Qlik answered with an error
│   │   │   ├── Conflict                   409: something with this natural key is there
│   │   │   ├── Forbidden                  403: not allowed
│   │   │   ├── HostUnknown                404 for a token: about the host as a whole
│   │   │   ├── NotFound                   404 or 410: absent, or not visible
│   │   │   ├── PreconditionFailed         412: not in its present state
│   │   │   ├── RateLimited                429, and the wait would outlast the deadline
│   │   │   ├── ReloadIsPending            429: the app has a reload that has not ended
│   │   │   ├── ServerError                5xx
│   │   │   ├── TenantDisabled             401: the tenant is deactivated
│   │   │   ├── Unauthorized               401: the client or its token is not accepted
│   │   │   └── UnexpectedAnswer           an answer that the API does not describe
│   │   └── ConnectionFailed               no usable answer: network, TLS or timeout
│   └── ResourceError                      a resource cannot be made what the file asks for
│       ├── AdoptionUndecided              several objects fit the one to adopt
│       ├── AliasRefused                   a tenant cannot have the alias
│       ├── AlreadyDifferent               an object of that name is there, and Qlik cannot change it
│       ├── AlreadyExists                  an object of that name is there, and somebody else made it
│       ├── Ambiguous                      several objects of that name are there
│       ├── CheckpointsRefused             the engine was told not to save its state
│       ├── EmailTaken                     the e-mail address is another user's
│       ├── HeldByAnother                  another resource of this stack holds the object
│       ├── HolderUnknown                  whether one does cannot be known
│       ├── LoginServiceUnusable           the service where users are to log in does not answer as one
│       ├── NameTaken                      somebody else's object has the new name
│       ├── NoRecoveryAdmin                nobody could administer the tenant if the login failed
│       ├── NotEmpty                       a space still holds content
│       ├── NotProven                      a 404 that does not prove that the object is gone
│       ├── NotReady                       made, but not usable within the time allowed
│       ├── NotReleased                    Qlik did not release entitlements of a tenant's users
│       ├── OtherLogin                     somebody else's identity provider is active
│       ├── PartlyDone                     Qlik made some of the changes
│       ├── PersonAmbiguous                several people have the e-mail address or subject
│       ├── PersonNotFound                 nobody has the e-mail address or subject
│       ├── ReloadFailed                   a reload of an app ended without success
│       ├── ReloadPending                  a reload of an app has not ended within the time allowed
│       ├── StateUnreadable                the state of the stack cannot be read
│       ├── TemplateAmbiguous              several apps have the name and version
│       ├── TemplateNotFound               no app has the name and version, or it cannot be seen
│       ├── TenantGone                     the tenant to take back, or in the state, is not there
│       ├── TenantUndecided                an earlier run may have made a tenant; a person decides
│       │   └── NothingMade                it is certain that none was made
│       ├── TrialEnded                     a trial that has ended gets no tenant
│       ├── Unfinished                     made, but not as wanted yet; the next `pulumi up` goes on
│       ├── UnknownRole                    a role that the tenant does not have
│       └── UseUnknown                     whether other tenants use an entitlement cannot be known
├── RunRefused                             the user did not agree to a run
├── SettingsError                          stack files or plans with problems
├── SetupError                             the Pulumi CLI cannot be installed
├── TooMuch                                a YAML file is nested too deeply, or its aliases make it too large
├── Unfit                                  `tenantry smoke` cannot look at a tenant
├── UnknownRef                             a git reference does not name a commit
├── UnknownRegion                          no tenant is in the region
├── UnknownSelection                       the requested stack, ring, plan or tag does not exist
└── UnusableTarget                         notifications cannot go to the address
```

Each message says what was tried and where, what Qlik or Pulumi said, and what to do next; none has a secret.
This module is the lowest of all, so that every package can have its errors in the tree.
"""

from __future__ import annotations


class TenantryError(Exception):
    """Something went wrong that Tenantry foresees: its text is for the user, without a traceback."""
