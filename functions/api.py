"""/api/runs and everything below it: one HTTP trigger that hands over to the FastAPI app in functions/runs_api.py."""

import functools

import azure.functions as func

bp = func.Blueprint()


@functools.cache
def _asgi() -> func.AsgiMiddleware:
    """FastAPI takes longer to import than everything else together: only an instance that serves HTTP pays for it."""
    from functions.runs_api import create_app  # noqa: PLC0415

    return func.AsgiMiddleware(create_app())


@bp.function_name("runs")
@bp.route(route="api/runs/{*path}", methods=["GET", "POST"], auth_level=func.AuthLevel.FUNCTION)
async def runs(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The host checks the key; FastAPI does the rest."""
    response: func.HttpResponse = await _asgi().handle_async(req, context)
    return response
