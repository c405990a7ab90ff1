"""POST /api/github/webhook: GitHub's deliveries, without a key, since each is signed. It only queues, well under GitHub's ten seconds."""

import json

import azure.functions as func

from functions.headers import SECURITY
from shared import logs
from shared.domain.errors import AksCopilotError
from shared.services import services

bp = func.Blueprint()


@bp.function_name("github_webhook")
@bp.route(route="api/github/webhook", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def github_webhook(req: func.HttpRequest) -> func.HttpResponse:
    """202 where a delivery was taken, whether or not it starts a run; 4xx where it is none; 503 where it must be sent again."""
    header = req.headers.get
    try:
        status, answer = services().delivered(
            req.get_body(), event=header("x-github-event"), delivery=header("x-github-delivery"),
            signature=header("x-hub-signature-256"), content_type=header("content-type"),
        )  # fmt: skip
    except AksCopilotError as error:
        logs.failure("delivery lost", error)
        status, answer = 503, {"error": "not able to take deliveries now: redeliver this one later"}
    return func.HttpResponse(json.dumps(answer), status_code=status, mimetype="application/json", headers=SECURITY)
