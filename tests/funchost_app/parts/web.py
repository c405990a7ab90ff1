"""HTTP functions of the sample app, as a blueprint: plain, async, failing, and FastAPI behind a catch-all route."""

import asyncio
import sys

import azure.functions as func
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

web = func.Blueprint()
api = FastAPI()


@api.get("/things/{name}")
def thing(name: str, size: int = 1) -> dict[str, object]:
    return {"name": name, "size": size}


@api.post("/things/{name}/body")
async def thing_body(name: str, request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())), headers={"x-name": name})


@web.route(route="things/{*rest}", auth_level=func.AuthLevel.FUNCTION)
async def things(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return await func.AsgiMiddleware(api).handle_async(req, context)


@web.route(route="echo/{part}/{extra?}", auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    import json

    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json", headers={"X-Sample": "yes"})


@web.route(route="plain", auth_level=func.AuthLevel.ANONYMOUS, methods=["GET"])
def plain(req: func.HttpRequest) -> str:
    return req.params.get("say", "hello")


@web.route(route="cookies", auth_level=func.AuthLevel.ANONYMOUS)
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("ok")
    response.headers.add("Set-Cookie", "a=1; Path=/")
    response.headers.add("Set-Cookie", "b=2")
    return response


@web.route(route="fails/{how}", auth_level=func.AuthLevel.ANONYMOUS)
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    how = req.route_params["how"]
    if how == "exit":
        sys.exit(3)
    if how == "none":
        return None  # type: ignore[return-value]
    if how == "header":
        return func.HttpResponse("x", headers={"x-snow": "\N{SNOWMAN}"})
    await asyncio.sleep(0)
    raise ValueError("secret detail")


@web.route(route="admin-only", auth_level=func.AuthLevel.ADMIN)
def admin_only(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@web.route(route="context", auth_level=func.AuthLevel.ANONYMOUS)
def context_of(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return func.HttpResponse(f"{context.function_name} {context.trace_context.Traceparent}")
