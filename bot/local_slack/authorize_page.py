"""The page on which a person allows the app what it asks for, or cancels.

Its address comes from the app, which tells it to whoever asks: so it opens only in the browser that has opened another
page of this run. `admit` is what such a page's answer says to the browser.
"""

import hmac
import secrets
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from aiohttp import web

from bot.local_slack.errors import NotOffered
from bot.local_slack.oauth import OAuth, Request
from bot.local_slack.workspaces import Workspaces

_MEANING = {
    "commands": "Add commands and shortcuts that people can use",
    "chat:write": "Send messages as itself",
}
_MEANING_AS_YOU = {"chat:write": "Send and change messages in your name"}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
li { margin: .3rem 0; }
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
select, button { font: inherit; padding: .45rem 1rem; min-height: 44px; }
select { width: 100%; }
.go { display: flex; gap: .8rem; margin-top: 1.4rem; }
small { opacity: .8; }
"""


class AuthorizePage:
    """`people` are those who may sign in on it, one a workspace."""

    def __init__(self, oauth: OAuth, workspaces: Workspaces, app_name: str, people: Iterable[str]) -> None:
        self._oauth = oauth
        self._workspaces = workspaces
        self._app_name = app_name
        self._people = list(people)
        # Browsers keep no cookies apart by port: each run has a name of its own.
        self._cookie = f"local_slack_{secrets.token_hex(4)}"
        self._secret = secrets.token_urlsafe(24)

    def admit(self, response: web.StreamResponse) -> None:
        """Lets the browser that gets this answer open the page."""
        response.set_cookie(self._cookie, self._secret, path="/oauth/", httponly=True, samesite="Strict")

    async def show(self, request: web.Request) -> web.Response:
        self._check(request)
        try:
            asked = self._oauth.request(request.query)
        except NotOffered as error:
            return _page(f"<h1>This can’t be allowed</h1><p>{escape(str(error))}</p>", status=400)
        return _page(self._form(asked), target=asked.redirect_uri)

    async def decide(self, request: web.Request) -> web.Response:
        self._check(request)
        form = await request.post()
        try:
            asked = self._oauth.request(request.query)
            if form.get("decision") != "allow":
                raise web.HTTPSeeOther(self._oauth.deny(asked))
            user = str(form.get("user"))
            if user not in self._people:
                raise NotOffered("nobody of that name is signed in here")
            raise web.HTTPSeeOther(self._oauth.allow(asked, user))
        except NotOffered as error:
            return _page(f"<h1>This can’t be allowed</h1><p>{escape(str(error))}</p>", status=400)

    def _check(self, request: web.Request) -> None:
        if not hmac.compare_digest(request.cookies.get(self._cookie, "").encode(), self._secret.encode()):
            raise web.HTTPForbidden(text="Open this from the page of this run, in the same browser.")

    def _form(self, asked: Request) -> str:
        bot = [_MEANING.get(scope, scope) for scope in asked.scopes]
        mine = [_MEANING_AS_YOU.get(scope, scope) for scope in asked.user_scopes]
        wants = "".join(f"<li>{escape(each)}</li>" for each in (*bot, *mine))
        users = [self._workspaces.users[user] for user in self._people]
        options = "".join(
            f'<option value="{user.id}">{escape(self._workspaces.teams[user.team].name)}, as '
            f"{escape(user.real_name)}</option>"
            for user in users
            if asked.team in (None, user.team)
        )
        return f"""
<h1>{escape(self._app_name)} is asking for permission</h1>
<p>It would be able to:</p>
<ul>{wants}</ul>
<form method="post">
<label for="user">Workspace</label>
<select id="user" name="user">{options}</select>
<div class="go">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="cancel">Cancel</button>
</div>
</form>
<p><small>A stand-in for Slack’s own page, on this machine only.</small></p>"""


def _page(body: str, *, status: int = 200, target: str = "") -> web.Response:
    nonce = secrets.token_urlsafe(12)
    # The form leads on to the app; browsers hold that against the policy, too.
    parts = urlsplit(target)
    leads_to = f" {parts.scheme}://{parts.netloc}" if target else ""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>Permission · Local Slack</title><style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'{leads_to}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        # With less than this, browsers would not say that the form is of this very page.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=html, content_type="text/html", status=status, headers=headers)
