"""Keeps other web sites out: a browser on this machine can be made to knock on any of its ports."""

from aiohttp import web
from aiohttp.typedefs import Handler


@web.middleware
async def from_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a `Host` that is not this server's own (a name that was made to point here), and any other `Origin`."""
    assert request.transport is not None
    port = request.transport.get_extra_info("sockname")[1]
    if request.host not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
        raise web.HTTPForbidden(text=f"This is http://127.0.0.1:{port}, and goes by no other name.")
    if request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
        raise web.HTTPForbidden(text="Requests from other sites are refused.")
    return await handler(request)
