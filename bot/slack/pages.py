"""The pages a person sees in the browser while installing Angel or connecting to it."""

from dataclasses import dataclass
from html import escape

from aiohttp import web

_HEADERS = {
    # The address holds what Slack sent along; nobody else gets to see it, and no script runs here.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Text Message Angel</title>
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f4f2fb; color: #1d1c1d;
  font: 17px/1.5 system-ui, sans-serif }}
main {{ max-width: 32rem; margin: 1.5rem; padding: 2rem; background: #fff; border-radius: 14px;
  box-shadow: 0 2px 16px #3d327022 }}
h1 {{ margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.25 }}
p {{ margin: .5rem 0 }}
a.button {{ display: inline-block; margin-top: 1rem; padding: .65rem 1.2rem; border-radius: 8px; background: #3d3270;
  color: #fff; text-decoration: none; font-weight: 600 }}
a.button:focus-visible {{ outline: 3px solid #b8a9ff; outline-offset: 2px }}
small {{ display: block; margin-top: 1.25rem; color: #5a5766 }}
</style>
</head>
<body><main><h1>{title}</h1>{paragraphs}{button}<small>Text Message Angel</small></main></body>
</html>
"""


@dataclass(frozen=True)
class Page:
    """What stands on a page, as plain text. `button` is its label and where it leads."""

    title: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None = None
    status: int = 200

    @property
    def html(self) -> str:
        button = (
            f'<a class="button" href="{escape(self.button[1])}">{escape(self.button[0])}</a>' if self.button else ""
        )
        return _PAGE.format(
            title=escape(self.title),
            paragraphs="".join(f"<p>{escape(paragraph)}</p>" for paragraph in self.paragraphs),
            button=button,
        )

    def response(self) -> web.Response:
        return web.Response(text=self.html, content_type="text/html", status=self.status, headers=_HEADERS)
