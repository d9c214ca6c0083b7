"""Services where users log in. The emulator treats every host outside Qlik Cloud as one.

A client that checks an identity provider sends its request to the endpoint, with the name of the provider as
`Host`. Faults of the control API apply here too.

Source: OpenID Connect Discovery 1.0, section 4; RFC 7517, section 5.
"""

from __future__ import annotations

from tenantry.emulator.call import Reply

MODULUS = (
    "u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7QkrmBL7jTKEn5u-qKhbw"
    "KfBstIs-bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW_VDL5AaWTg0nLVkjRo9z-4"
    "0RQzuVaE8AkAFmxZzow3x-VJYKdjykkJ0iT9wCS0DRTXu269V264Vf_3jvredZiKRkgwlL9xNAwxXFg0x_XFw005UW"
    "VRIkdgcKWTjpBP2dPwVZ4WWC-9aGVd-Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXfbcmw"
)


def reply(host: str, method: str, path: str) -> Reply | None:
    """Return the response of a login service, or None for a path that it does not have."""
    base = f"https://{host}"
    if method != "GET":
        return None
    if path.endswith("/.well-known/openid-configuration"):
        return Reply(
            200,
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )
    if path == "/keys":
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "emulator", "n": MODULUS, "e": "AQAB"}
        return Reply(200, {"keys": [key]})
    if path == "/sso":
        return Reply(200, text="<!doctype html><title>Log in</title>")
    return None
