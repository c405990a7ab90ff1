"""The HTTP API of runs (FastAPI). Errors are {"error": "<one line>"}; a body's length is checked before it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as SchemaError
from starlette.exceptions import HTTPException as HttpError

from functions.headers import AnswerHeaders
from shared.domain.errors import AksCopilotError, CriticalError, TransientError, ValidationError, first_problem
from shared.domain.messages import is_traceparent
from shared.domain.report.web import security_policy
from shared.domain.run import RunOptions
from shared.pipeline import deploy, names, state, status, submit, upkeep
from shared.pipeline.context import Context
from shared.services import services

_ARCHIVES: dict[str, submit.BodyKind] = {
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/gzip": "tar.gz",
    "application/x-gzip": "tar.gz",
}
_REPORTS = {
    "json": ("report.json", "application/json"),
    "html": ("report.html", "text/html; charset=utf-8"),
    "md": ("report.md", "text/markdown; charset=utf-8"),
    "sarif": ("report.sarif", "application/sarif+json"),
    "patch": ("patch.json", "application/json"),
    "diff": ("changes.diff", "text/x-diff; charset=utf-8"),
    "resources": ("resources.md", "text/markdown; charset=utf-8"),
    "cutover": ("cutover.md", "text/markdown; charset=utf-8"),
}
_STATUS: tuple[tuple[type[AksCopilotError], int], ...] = ((ValidationError, 400), (TransientError, 503), (CriticalError, 500))
_SMALL = 512 * 1024
T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)
SHA = r"^[0-9a-f]{40}([0-9a-f]{24})?$"
Format = Literal["json", "html", "md", "sarif", "patch", "diff", "resources", "cutover"]


class Submission(BaseModel):
    """The JSON body of POST /api/runs: texts by path."""

    model_config = ConfigDict(extra="forbid", strict=True)

    app: str
    files: dict[str, str]
    source: str = "auto"
    target: str | None = None
    unsafe: bool = False

    @property
    def options(self) -> RunOptions:
        """The same as the pipeline's value."""
        return RunOptions(self.app, self.source, self.target, self.unsafe)


class Wish(BaseModel):
    """The JSON body of POST /api/runs/{runId}/deploy; empty for the commit that merged the run's pull request."""

    model_config = ConfigDict(extra="forbid", strict=True)

    commit: str | None = Field(default=None, pattern=SHA)


class Told(BaseModel):
    """The JSON body of POST /api/runs/{runId}/deployment, which the workflow that deploys sends."""

    model_config = ConfigDict(extra="forbid", strict=True)

    state: Literal["running", "succeeded", "failed"]
    url: str = Field(default="", max_length=500, pattern=r"^$|^https://[^\s]+$")
    evidence: str = Field(default="", max_length=256 * 1024)


def create_app() -> FastAPI:
    """The routes below /api/runs, with one-line errors; no documentation pages, no lifespan (the worker runs none)."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(AnswerHeaders)
    app.add_exception_handler(HttpError, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    for kind, _ in _STATUS:
        app.add_exception_handler(kind, _our_error)
    app.add_api_route("/api/runs", post_run, methods=["POST"], status_code=202)
    app.add_api_route("/api/runs", get_runs, methods=["GET"])
    app.add_api_route("/api/runs/{run}", get_run, methods=["GET"])
    app.add_api_route("/api/runs/{run}/report", get_report, methods=["GET"])
    app.add_api_route("/api/runs/{run}/replay", post_replay, methods=["POST"], status_code=202)
    app.add_api_route("/api/runs/{run}/deploy", post_deploy, methods=["POST"], status_code=202)
    app.add_api_route("/api/runs/{run}/deployment", post_deployment, methods=["POST"])
    return app


async def post_run(
    request: Request,
    response: Response,
    app: Annotated[str, Query()] = "",
    source: Annotated[str, Query()] = "auto",
    unsafe: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """An archive (application/zip or gzip, ?app=NAME) or a Submission; 202 with the run's name."""
    ctx = services().context
    _check_length(request, ctx.limits.upload_bytes)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body, trace = await request.body(), _trace(request)
    if media in _ARCHIVES:
        run = await run_in_threadpool(submit.submit_archive, ctx, body, _ARCHIVES[media], RunOptions(app, source, None, unsafe), trace)
    elif media == "application/json":
        sent = _body(Submission, body)
        run = await run_in_threadpool(submit.submit_files, ctx, sent.files, sent.options, trace)
    else:
        raise HTTPException(415, "send application/zip, application/gzip or application/json")
    response.headers["Location"] = f"/api/runs/{run}"
    return {"runId": run, "links": {"self": f"/api/runs/{run}", "report": f"/api/runs/{run}/report"}}


def get_runs() -> dict[str, Any]:
    """The newest 50 runs."""
    return {"runs": status.list_runs(services().context)}


def get_run(run: str) -> dict[str, Any]:
    """Where one run stands."""
    found = status.run_status(services().context, run)
    if found is None:
        raise HTTPException(404, "no such run")
    return found


def get_report(run: str, format: Annotated[Format, Query()] = "json") -> Response:  # noqa: A002 - the parameter's public name
    """One report file of a finished run."""
    ctx, (name, media) = services().context, _REPORTS[format]
    _known(ctx, run)
    found = ctx.blobs.read(names.REPORTS, f"{run}/{name}", max_bytes=ctx.limits.state_bytes)
    if found is None or not state.exists(ctx, names.done(run)):
        raise HTTPException(409, "the run is not finished")
    policy = {"Content-Security-Policy": security_policy(found[0])} if format == "html" else None
    return Response(found[0], media_type=media, headers=policy)


def post_replay(run: str) -> dict[str, Any]:
    """Run a failed run again."""
    ctx = services().context
    _known(ctx, run)
    upkeep.replay(ctx, run)
    return {"runId": run}


async def post_deploy(request: Request, run: str) -> dict[str, Any]:
    """Deploy a finished run, once; 202: it is queued."""
    ctx = services().context
    _check_length(request, _SMALL)
    body = await request.body()
    wish = _body(Wish, body or b"{}")
    _known(ctx, run)
    await run_in_threadpool(_or_conflict, lambda: deploy.request(ctx, run, wish.commit))
    return {"runId": run, "links": {"self": f"/api/runs/{run}"}}


async def post_deployment(request: Request, run: str) -> dict[str, Any]:
    """What the workflow that deploys says of it."""
    ctx = services().context
    _check_length(request, _SMALL)
    told = _body(Told, await request.body())
    _known(ctx, run)
    record = await run_in_threadpool(_or_conflict, lambda: deploy.report(ctx, run, told.state, told.url, told.evidence))
    return {"runId": run, "state": record["state"]}


def _or_conflict(step: Callable[[], T]) -> T:
    try:
        return step()
    except ValidationError as error:
        raise HTTPException(409, str(error)) from None


def _known(ctx: Context, run: str) -> None:
    if not names.is_run_id(run) or not state.exists(ctx, names.started(run)):
        raise HTTPException(404, "no such run")


def _check_length(request: Request, limit: int) -> None:
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise HTTPException(411, "Content-Length is required")
    if int(length) > limit:
        raise HTTPException(413, f"the body may have at most {limit} bytes")


def _body(model: type[Body], body: bytes) -> Body:
    try:
        return model.model_validate_json(body)
    except SchemaError as error:
        raise HTTPException(400, first_problem(error, "body")) from None


def _trace(request: Request) -> str | None:
    given = request.headers.get("traceparent", "")
    return given if is_traceparent(given) else None


def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HttpError)  # noqa: S101 - registered for this type only
    return JSONResponse({"error": str(error.detail)}, error.status_code)


def _bad_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    return JSONResponse({"error": f"{'.'.join(str(x) for x in first['loc'])}: {first['msg']}"}, 400)


def _our_error(_: Request, error: Exception) -> JSONResponse:
    code = next(code for kind, code in _STATUS if isinstance(error, kind))
    return JSONResponse({"error": " ".join(str(error).split())}, code)
