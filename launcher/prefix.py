"""A whole oTree below a path such as /otree/trust: addresses that it makes get the prefix, requests lose it again.

Inside, oTree sees the paths that it always sees, so its comparison of the page that a participant asked for with the
page of his turn (views/abstract.py `dispatch`) holds. What it writes is put right in two places:
- where it makes addresses: `path_format` of its routes (reverse, request.url_for, {{ url }}, {{ static }}), its start
  links, and the paths of its websockets. Seams, alike in oTree 5.4 - 6.0 (tests run 5.4.0, 5.9.6, 5.10.4, 5.11.5 and
  6.0.15): `urls.routes`, starlette 0.14.1 routing.py `path_format`, common.py `participant_start_url`,
  channels/utils.py `*_path`.
- on the way out, for everything else: Location, the path of cookies, and HTML (see `prefix_html.py`).
Requests without the prefix are answered, too: the panel and the timeout worker send them into the socket.
"""
import functools
import re
import sys

from arboretum_launcher.prefix_html import Rewriter

COOKIE_PATH = re.compile(rb'(;\s*path=)/(?=\s*(?:;|$))', re.IGNORECASE)
ORIGIN = re.compile(rb'(?:[a-z]+:)?//([^/?#]*)', re.IGNORECASE)
WITHOUT_BODY = (204, 304)
PART_OF_A_FILE = 206


class SeamMissing(Exception):
    """This oTree is not built as we know it; the text says where."""


def apply(prefix):
    """Let oTree make its addresses below `prefix`; returns the application to serve. @throws SeamMissing"""
    try:
        import otree.channels.utils as channels
        import otree.common as common
        from otree.asgi import app
        from otree.urls import routes

        makers = [(common, 'participant_start_url')]
        makers += [(channels, name) for name in vars(channels) if name.endswith('_path') and callable(getattr(channels, name))]
        segments = {route.path.split('/')[1] for route in routes}
        for module, name in makers:
            replace_maker(module, name, prefix)
        for route in routes:
            route.path_format = prefix + route.path_format
    except (AttributeError, ImportError, IndexError, TypeError) as error:
        raise SeamMissing('%s: %s' % (type(error).__name__, error))
    if len(makers) < 2:
        raise SeamMissing('channels/utils.py makes no paths')
    return Prefixed(app, prefix, segments)


def replace_maker(module, name, prefix):
    original = getattr(module, name)

    @functools.wraps(original)
    def make(*args, **kwargs):
        return prefix + original(*args, **kwargs)

    setattr(module, name, make)
    # A module that took a copy of the function would go on without the prefix.
    for other in [other for key, other in sys.modules.items() if key.split('.')[0] == 'otree' and other]:
        if vars(other).get(name) is original:
            setattr(other, name, make)


class Prefixed:
    """The ASGI application around oTree's own."""

    def __init__(self, app, prefix, segments):
        self.prefix = prefix
        self._app = app
        self._bytes = prefix.encode()
        self._html = Rewriter(prefix, segments)

    async def __call__(self, scope, receive, send):
        if scope['type'] == 'http':
            await self._app(self._inside(scope), receive, Answer(self, scope, send))
        elif scope['type'] == 'websocket':
            await self._app(self._inside(scope), receive, send)
        else:
            await self._app(scope, receive, send)

    def _inside(self, scope):
        path = scope['path']
        if path != self.prefix and not path.startswith(self.prefix + '/'):
            return scope
        # Nobody in oTree or starlette 0.14.1 reads raw_path; uvicorn gives bytes for HTTP and text for websockets.
        return dict({key: scope[key] for key in scope if key != 'raw_path'}, path=path[len(self.prefix) :] or '/')

    def header(self, name, value, host):
        """What a header is to say outside. Names come in lower case (ASGI)."""
        if name == b'location':
            return name, self._located(value, host)
        if name == b'set-cookie':
            return name, COOKIE_PATH.sub(rb'\1' + self._bytes + b'/', value)
        return name, value

    def _located(self, value, host):
        origin = ORIGIN.match(value)
        if origin and origin.group(1).lower() != host.lower():
            return value
        begin = origin.end() if origin else 0
        return value[:begin] + self._html.below(value[begin:])

    def document(self, body):
        return self._html.rewrite(body)


class Answer:
    """`send` of one request: HTML is held until it is whole, all else goes through as it comes."""

    def __init__(self, prefixed, scope, send):
        self._prefixed = prefixed
        self._is_head = scope['method'] == 'HEAD'
        self._host = dict(scope['headers']).get(b'host', b'')
        self._send = send
        self._start = None
        self._body = []

    async def __call__(self, message):
        if message['type'] == 'http.response.start':
            await self._begin(message)
        elif self._start is None:
            await self._send(message)
        else:
            self._body.append(message.get('body', b''))
            if not message.get('more_body', False):
                await self._end()

    async def _begin(self, message):
        headers = [self._prefixed.header(name, value, self._host) for name, value in message.get('headers', [])]
        message = dict(message, headers=headers)
        if self._is_document(message['status'], dict(headers)):
            self._start = message
        else:
            await self._send(message)

    def _is_document(self, status, headers):
        kind = headers.get(b'content-type', b'').split(b';')[0].strip().lower()
        is_whole = status not in WITHOUT_BODY and status != PART_OF_A_FILE
        return kind == b'text/html' and is_whole and b'content-encoding' not in headers

    async def _end(self):
        body = self._prefixed.document(b''.join(self._body))
        headers = [(name, value) for name, value in self._start['headers'] if name != b'content-length']
        # The length of what HEAD leaves out is not known here.
        if not self._is_head:
            headers.append((b'content-length', str(len(body)).encode()))
        await self._send(dict(self._start, headers=headers))
        await self._send({'type': 'http.response.body', 'body': b'' if self._is_head else body})
