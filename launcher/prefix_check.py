"""Whether this oTree really lives under its path: asked in memory before the server listens, for every version anew.

A prefix that works by halves is worse than none: participants would go round in circles, or end up at a neighbour's.
"""
import asyncio
import re
import sys

from arboretum_launcher.prefix import SeamMissing
from arboretum_launcher.problems import ProjectProblem
from arboretum_launcher.watch import say

HOST = b'otree.invalid'
ADDRESS = re.compile(rb'\s(?:src|href|action|formaction)\s*=\s*["\']?(?:http://' + HOST + rb')?(/[^\s"\'>]*)', re.IGNORECASE)
CODE = 'abcd1234'
PAGE = 'views/abstract.py'


def refuse(error):
    """End with the one sentence for people; the log has what is missing."""
    say('this oTree cannot live under a path: %s' % error)
    version = sys.modules['otree'].__version__
    raise ProjectProblem('path_not_supported', 'This oTree version (%s) cannot live under a path.' % version)


async def verify(app, prefix):
    """Compare what oTree makes with what it is asked for, and ask a handful of addresses. @throws ProjectProblem"""
    try:
        require_makers(prefix)
        require_page_order()
        for path, status in (('/', None), ('/login', 200), ('/demo', None), ('/favicon.ico', None)):
            await require_below(app, prefix, path, status)
        for path in (prefix + '/InitializeParticipant/' + CODE, prefix + '/p/%s/x/y/1' % CODE):
            status = (await ask(app, path))[0]
            require(status == 404, '%s answers %s' % (path, status))
        require((await ask(app, '/login'))[0] == 200, 'requests without the prefix are not answered')
    except (SeamMissing, AttributeError, ImportError, KeyError, LookupError, TypeError) as error:
        refuse(error if isinstance(error, SeamMissing) else '%s: %s' % (type(error).__name__, error))


def require(holds, sentence):
    if not holds:
        raise SeamMissing(sentence)


def require_makers(prefix):
    import otree.channels.utils as channels
    import otree.common
    from otree.asgi import reverse
    from otree.urls import routes

    start = otree.common.participant_start_url(CODE)
    require(start == prefix + '/InitializeParticipant/' + CODE, 'start links are %s' % start)
    require(reverse('InitializeParticipant', code=CODE) == start, 'reverse() and the start links differ')
    require(reverse('static', path='x') == prefix + '/static/x', 'static files are elsewhere')
    made = channels.group_wait_page_path(x=1)
    require(made.startswith(prefix + '/'), 'websockets are at %s' % made)
    for route in routes:
        require(route.path_format.startswith(prefix + '/'), 'the route %s stays where it is' % route.path)


def require_page_order():
    """The comparison that would send participants round in circles reads the path that it makes itself."""
    from otree.lookup import url_i_should_be_on
    from otree.views.abstract import FormPageOrInGameWaitPage as Page

    names = Page.dispatch.__code__.co_names
    require('_url_i_should_be_on' in names and 'path' in names, '%s dispatch compares something else' % PAGE)
    require('get_url' in url_i_should_be_on.__code__.co_names, 'lookup.py url_i_should_be_on is another one')
    made = Page.get_url(participant_code=CODE, name_in_url='x', page_index=1)
    pattern = Page.url_pattern('x').replace('{participant_code}', CODE).replace('{page_index}', '1')
    require(made == pattern, '%s get_url and url_pattern differ' % PAGE)


async def require_below(app, prefix, path, status):
    got, headers, body = await ask(app, prefix + path)
    require(got == status if status else got < 400, '%s answers %s' % (path, got))
    for name, value in headers:
        if name == b'location':
            place = value[len(b'http://' + HOST) :] if value.startswith(b'http://' + HOST) else value
            require(place.startswith(prefix.encode() + b'/'), '%s redirects to %s' % (path, value.decode('latin-1')))
        if name == b'set-cookie':
            require(b'path=' + prefix.encode() + b'/;' in value, 'the cookie has another path')
    # The other pages show what the project wrote, too.
    if path == '/login':
        require_addresses(prefix, path, body)


def require_addresses(prefix, path, body):
    for address in ADDRESS.findall(body):
        holds = address.startswith((prefix.encode() + b'/', b'//'))
        require(holds, '%s leads to %s' % (path, address.decode('latin-1')))


async def ask(app, path):
    """(status, headers, body) of a GET, without a socket."""
    scope = {
        'type': 'http', 'asgi': {'version': '3.0'}, 'http_version': '1.1', 'method': 'GET', 'scheme': 'http',
        'path': path, 'raw_path': path.encode(), 'query_string': b'', 'root_path': '', 'headers': [(b'host', HOST)],
        'client': ('127.0.0.1', 0), 'server': (HOST.decode(), 80),
    }
    sent = []

    asked = iter([{'type': 'http.request', 'body': b'', 'more_body': False}])

    async def receive():
        # Whoever waits for the visitor to leave is cancelled once the answer is there.
        return next(asked, None) or await asyncio.get_event_loop().create_future()

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    start = next(message for message in sent if message['type'] == 'http.response.start')
    body = b''.join(message.get('body', b'') for message in sent if message['type'] == 'http.response.body')
    return start['status'], start['headers'], body
