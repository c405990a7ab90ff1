"""GET /api/health: whether this instance can work, without a key, for probes and load balancers."""

import json

import azure.functions as func

from functions.headers import SECURITY
from shared.domain.errors import AksCopilotError
from shared.services import services

bp = func.Blueprint()


@bp.function_name("health")
@bp.route(route="api/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the worker demands the parameter
    """200 where settings and storage are usable, else 503 saying which part is not (one line each, nothing secret)."""
    try:
        parts = services().check()
    except AksCopilotError as error:
        parts = {"settings": str(error)}
    status = 200 if set(parts.values()) == {"ok"} else 503
    return func.HttpResponse(json.dumps(parts), status_code=status, mimetype="application/json", headers=SECURITY)
