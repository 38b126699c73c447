"""What an instance has of its own, whatever its project says: password, keys, room links, cookie.

The seams, all alike in oTree 5.4.0, 5.9.6, 5.10.4, 5.11.5 and 6.0.15 (read in each):
- `settings.py` collects the project's values as attributes of `otree.settings`; readers look them up there.
- `common.py` makes `_SECRET = SECRET_KEY + ADMIN_PASSWORD` when it is imported: it signs the session cookie, chat
  channels and the secret room links. One value for all means: a new password ends every participant's cookie.
- `common.py` `AUTH_COOKIE_VALUE` is what the session cookie of a signed-in admin holds.
- `common.py` `make_hash` is called for room links only (`room.py`, `views/participant.py`), `DATA_EXPORT_HASH` aside.
- `asgi.py` takes `SessionMiddleware` from `middleware.py` when the first request comes.
- `database.py` opens ./db.sqlite3 when it is imported, also with PostgreSQL.
`room.py`, `middleware.py`, `views/` copy names out of `common.py`, so `common.py` is completed before they are imported.
"""
import contextlib
import hashlib
import hmac
import os
import sqlite3
import sys

from arboretum_launcher import session_fields
from arboretum_launcher.project_settings import load_settings


# What needs no session: oTree 5.4 - 6.0 urls.py.
FILES = ('/static/', '/favicon.ico')


def apply(config):
    """Put the instance's values into oTree. Must run before anything but `otree` itself is imported."""
    settings = load_settings()
    for module in (settings, sys.modules.get('settings')):
        module.SECRET_KEY = config['secretKey']
        # Empty while common.py computes `_SECRET`: participants' cookies must outlive a new password.
        module.ADMIN_PASSWORD = ''
    session_fields.fill(settings, config.get('sessionFields'))
    import otree.common

    for module in (settings, sys.modules.get('settings')):
        module.ADMIN_PASSWORD = config['adminPassword']
    # The admin's own mark depends on the password, so a new one signs every admin out.
    otree.common.AUTH_COOKIE_VALUE = admin_mark(config['secretKey'], config['adminPassword'])
    otree.common.make_hash = room_hasher(config['roomSecret'])
    with sqlite_in_memory():
        import otree.middleware
    ping_before_use()
    otree.middleware.SessionMiddleware = named_cookie(otree.middleware.SessionMiddleware, config['cookieName'])


def admin_mark(secret_key, password):
    return hmac.new(secret_key.encode(), b'arboretum admin ' + password.encode(), hashlib.sha256).hexdigest()


def room_hasher(room_secret):
    """oTree's hash of a label (8 hex digits of SHA-224), with a secret that stays for the instance's life."""
    def make_hash(label):
        return hashlib.sha224((label + room_secret).encode()).hexdigest()[:8]

    return make_hash


def named_cookie(original, name):
    """`session_cookie` is starlette 0.14 sessions.py's own parameter; oTree leaves it at `session`."""
    class InstanceSessionMiddleware(original):
        def __init__(self, app, **options):
            options['session_cookie'] = name
            super().__init__(app, **options)

        async def __call__(self, scope, receive, send):
            if scope['type'] != 'http' or not scope['path'].startswith(FILES):
                return await super().__call__(scope, receive, send)
            # Every answer sends back the cookie that its request brought: that of a picture, asked for just before a
            # sign-in and answered just after it, would sign the person out again.
            scope['session'] = {}
            await self.app(scope, receive, send)

    return InstanceSessionMiddleware


def ping_before_use():
    """After PostgreSQL was away, the first request is served by a new connection instead of failing with 500.

    That first request may be the timeout worker's, which forgets a page timeout once it has tried (6.0 tasks.py).
    Seam: SQLAlchemy 1.3.22 pool/base.py `_pre_ping`, what `create_engine(pool_pre_ping=True)` sets; one SELECT 1 a request.
    """
    from otree.database import engine

    engine.pool._pre_ping = True


@contextlib.contextmanager
def sqlite_in_memory():
    """Lets a release be read-only: with another database, ./db.sqlite3 is opened but never used. Bots start from nothing:
    oTree would load into their memory what that file holds (6.0 database.py)."""
    url = os.environ.get('DATABASE_URL', 'sqlite')
    if url.startswith('sqlite') and sys.argv[1:2] != ['test']:
        yield
        return
    connect = sqlite3.connect

    def connect_elsewhere(path, *args, **kwargs):
        return connect(':memory:' if path == 'db.sqlite3' else path, *args, **kwargs)

    sqlite3.connect = connect_elsewhere
    try:
        yield
    finally:
        sqlite3.connect = connect
