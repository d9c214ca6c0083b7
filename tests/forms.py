"""Bodies of forms (multipart/form-data) for tests that send requests themselves."""

from __future__ import annotations

from typing import NamedTuple

from tenantry.providers.qlik.messages import Form


class FormBody(NamedTuple):
    """The body of a form request."""

    form: Form
