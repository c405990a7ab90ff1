"""HTTP functions served by the development host: requests, answers, errors, limits and keys."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from funchost_harness import Served

from funchost.azurite import Azurite


@pytest.fixture(scope="module")
def served(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(azurite.connection_string, tmp_path_factory.mktemp("http"), FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="1000") as host:
        yield host


@pytest.fixture(scope="module")
def guarded(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    keys = {"FUNCHOST_HOST_KEY": "host-key", "FUNCHOST_MASTER_KEY": "master-key", "FUNCHOST_SYSTEM_KEY": "system-key"}
    host = Served(azurite.connection_string, tmp_path_factory.mktemp("keys"), **keys)
    host.arguments += ["--enable-auth"]
    with host:
        yield host


def url(served: Served, path: str) -> str:
    return f"http://127.0.0.1:{served.port}{path}"


def test_what_a_function_sees_of_a_request(served: Served) -> None:
    response = httpx.put(url(served, "/ECHO/One/two?a=1&b=&c=x&c=y"), content=b"body", headers={"X-Custom": "V", "X-Empty": ""})
    assert response.status_code == 201
    assert response.headers["x-sample"] == "yes"
    assert response.headers["content-type"] == "application/json"
    seen = response.json()
    assert (seen["method"], seen["body"]) == ("PUT", "body")
    assert seen["url"] == url(served, "/ECHO/One/two?a=1&b=&c=x&c=y")
    assert seen["route"] == {"part": "One", "extra": "two"}
    assert seen["params"] == {"a": "1", "c": "x,y"}, "an empty parameter is dropped, a repeated one joined"
    assert (seen["headers"]["x-custom"], seen["headers"]["x-empty"]) == ("V", "")


def test_an_optional_route_parameter_that_is_missing_is_left_out(served: Served) -> None:
    assert httpx.get(url(served, "/echo/one")).json()["route"] == {"part": "one"}


def test_a_chunked_body_without_a_length_arrives_empty_as_in_the_real_host(served: Served) -> None:
    response = httpx.post(url(served, "/echo/one"), content=iter([b"chunk"]))
    assert response.json()["body"] == ""


def test_fastapi_behind_a_catch_all_route(served: Served) -> None:
    assert httpx.get(url(served, "/things/box?size=3")).json() == {"name": "box", "size": 3}
    posted = httpx.post(url(served, "/things/box/body"), content=b"12345")
    assert (posted.text, posted.headers["x-name"]) == ("5", "box")
    assert httpx.get(url(served, "/things/box?size=big")).status_code == 422
    assert httpx.get(url(served, "/things/no/such/path")).status_code == 404


def test_a_returned_text_and_a_text_that_looks_like_a_response(served: Served) -> None:
    plain = httpx.get(url(served, "/plain"))
    assert (plain.status_code, plain.text, plain.headers["content-type"]) == (200, "hello", "text/plain; charset=utf-8")
    sniffed = httpx.get(url(served, "/plain"), params={"say": '{"statusCode": 202, "body": {"a": 1}, "headers": {"x-a": "b"}}'})
    assert (sniffed.status_code, sniffed.text, sniffed.headers["x-a"]) == (202, '{"a": 1}', "b")


def test_several_cookies(served: Served) -> None:
    cookies = httpx.get(url(served, "/cookies")).headers.get_list("set-cookie")
    assert sorted(cookies) == ["a=1; Path=/", "b=2"]


@pytest.mark.parametrize("how", ["raise", "exit", "none", "header"])
def test_a_failing_function_is_a_500_without_a_body(served: Served, how: str) -> None:
    response = httpx.get(url(served, f"/fails/{how}"))
    assert (response.status_code, response.content) == (500, b"")


def test_no_route_and_no_such_method_are_404(served: Served) -> None:
    assert httpx.get(url(served, "/nowhere")).status_code == 404
    assert httpx.post(url(served, "/plain")).status_code == 404
    assert httpx.get(url(served, "/admin/nowhere")).status_code == 404


def test_the_home_page(served: Served) -> None:
    assert httpx.get(url(served, "/")).status_code == 200


def test_a_body_over_the_limit_is_413_and_not_read(served: Served) -> None:
    assert httpx.post(url(served, "/echo/one"), content=b"x" * 1000).status_code == 201
    assert httpx.post(url(served, "/echo/one"), content=b"x" * 1001).status_code == 413
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(b"POST /echo/one HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_client_that_goes_away_leaves_no_traceback(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(b"POST /echo/one HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\npart")
    assert httpx.get(url(served, "/echo/one")).status_code == 201
    assert "Traceback" not in served.text()


def test_the_trace_of_the_caller_reaches_the_context(served: Served) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    text = httpx.get(url(served, "/context"), headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}).text
    name, parent = text.split()
    assert name == "context_of"
    assert parent.split("-")[1] == trace
    assert httpx.get(url(served, "/context")).text != httpx.get(url(served, "/context")).text


def test_keys_are_not_asked_for_on_loopback(served: Served) -> None:
    assert httpx.get(url(served, "/admin-only")).text == "in"
    assert httpx.get(url(served, "/admin/host/status")).status_code == 200


def test_keys_are_checked_when_authentication_is_on(guarded: Served) -> None:
    def status(path: str, key: str = "") -> int:
        return httpx.get(url(guarded, path), headers={"x-functions-key": key} if key else {}).status_code

    assert status("/things/box") == 401
    assert httpx.get(url(guarded, "/things/box")).content == b""
    assert status("/things/box", "wrong") == 401
    assert status("/things/box", "host-key") == 200
    assert status("/things/box?code=host-key") == 200
    assert status("/echo/anyone") == 201
    assert status("/admin-only", "host-key") == 401
    assert status("/admin-only", "master-key") == 200
    assert status("/admin/host/status", "host-key") == 401
    assert status("/admin/host/status?code=master-key") == 200
    assert httpx.get(url(guarded, "/admin/host/ping")).status_code == 200
    hook = "/runtime/webhooks/blobs?functionName=Host.Functions.announced"
    assert httpx.post(url(guarded, hook), json=[]).status_code == 401
    assert httpx.post(url(guarded, hook + "&code=system-key"), json=[]).status_code == 202
    assert "host-key" not in guarded.text()


def test_garbage_to_the_admin_and_webhook_endpoints_is_a_400(served: Served) -> None:
    assert httpx.post(url(served, "/admin/functions/texts"), content=b"{").status_code == 400
    hook = url(served, "/runtime/webhooks/blobs?functionName=Host.Functions.announced")
    for body in (b"", b"{", b"[1]", b'"x"', b"[" * 900):
        assert httpx.post(hook, content=body).status_code == 400
