"""What the panel asks of a running oTree: its data, where oTree's own REST interface has none; a list of what there is to
export; and whether the tables fit (`tables.py`).

oTree 6.0 `views/export.py` answers /api/export_wide, /api/export_app and others to whoever has the REST key; 5.4 - 5.11
have the functions (`export.py` export_wide, export_app, export_page_times) but only the admin's pages call them. Here
the same addresses are added where they are missing. Seam, alike in 5.4 - 6.0: `urls.py` view_classes_from_module makes
a route of every class of `otree.views.export` that has a `url_pattern`.
"""
import hmac
import inspect
import io
import os
import sys

from arboretum_launcher import tables

PLACE = 'otree.views.export'
CHAT_COLUMNS = ('session_code', 'id_in_session', 'participant_code', 'channel', 'nickname', 'body', 'timestamp')


def install():
    """Add what is missing; after `otree.main.setup()`, before `otree.asgi` is imported. An oTree that is built in
    another way starts all the same: an export that is not there is found out by whoever asks for it."""
    try:
        from importlib import import_module

        module = import_module(PLACE)
        taken = {getattr(view, 'url_pattern', None) for _, view in inspect.getmembers(module, inspect.isclass)}
        for view in make_views():
            if view.url_pattern not in taken:
                setattr(module, view.__name__, view)
    except Exception as error:  # pylint: disable=broad-except
        sys.stderr.write('[arboretum] exports by the panel are not available: %r\n' % error)


def make_views():
    from starlette.endpoints import HTTPEndpoint
    from starlette.responses import JSONResponse, Response

    def view(name, pattern, answer):
        def get(self, request):
            if not has_key(request):
                return Response('HTTP Request Header otree-rest-key is missing or incorrect', status_code=403)
            return answer(request.query_params)

        return type(name, (HTTPEndpoint,), {'__module__': PLACE, 'url_pattern': pattern, 'get': get})

    def csv(write):
        def answer(query):
            buffer = io.StringIO()
            write(buffer, query)
            return Response(buffer.getvalue(), media_type='text/csv')

        return answer

    return [
        view('ArboretumExports', '/api/arboretum_exports', lambda query: JSONResponse(list_exports())),
        view('ArboretumTables', '/api/arboretum_tables', lambda query: JSONResponse(tables.look())),
        view('ArboretumExportWide', '/api/export_wide', csv(write_wide)),
        view('ArboretumExportApp', '/api/export_app', csv(write_app)),
        view('ArboretumExportAppCustom', '/api/export_app_custom', csv(write_custom)),
        view('ArboretumExportPageTimes', '/api/export_page_times', csv(write_page_times)),
        view('ArboretumExportChat', '/api/export_chat', csv(write_chat)),
    ]


def has_key(request):
    """Also where oTree would let anyone in (no authentication level): these are all the data."""
    wanted, given = os.environ.get('OTREE_REST_KEY', ''), request.headers.get('otree-rest-key', '')
    return bool(wanted) and hmac.compare_digest(wanted.encode(), given.encode())


def list_exports():
    from otree.database import dbq
    from otree.export import get_installed_apps_with_data
    from otree.models import Session
    from otree.models_concrete import ChatMessage

    apps = get_installed_apps_with_data()
    sessions = dbq(Session).order_by('id').all()
    counts = {app: count_players(app) for app in apps}
    return {
        'apps': apps,
        'customs': [{'app': app, 'function': name} for app in apps for name in list_customs(app)],
        'hasChat': bool(dbq(ChatMessage).first()),
        'sessions': [
            {
                'code': session.code,
                'label': session.label or '',
                'config': session.config['name'],
                'participants': session.num_participants,
                'isDemo': bool(session.is_demo),
                'isMturk': bool(session.is_mturk),
                'isWhole': all(
                    counts[app].get(session.id, 0) == session.num_participants
                    for app in session.config['app_sequence']
                    if app in counts
                ),
            }
            for session in sessions
        ],
    }


def list_customs(app):
    """Names of the app's own exports: 6.0 export.py get_custom_export_functions takes all that begin so, older ones know one."""
    from otree import export
    from otree.common import get_models_module

    module = get_models_module(app)
    if not hasattr(export, 'get_custom_export_functions'):
        return ['custom_export'] if callable(getattr(module, 'custom_export', None)) else []
    return sorted(export.get_custom_export_functions(app))


def count_players(app):
    """Session id -> players of its first round. A session whose making failed has participants, but no players: with it
    the export of all sessions fails (measured, 6.0.15)."""
    from otree.common import get_models_module
    from otree.database import dbq
    from sqlalchemy.sql.functions import func

    player = get_models_module(app).Player
    rows = dbq(player).filter(player.round_number == 1).with_entities(player.session_id, func.count()).group_by(player.session_id)
    return dict(rows.all())


def write_wide(buffer, query):
    from otree.export import export_wide

    export_wide(buffer, session_code=query.get('session_code'))


def write_app(buffer, query):
    from otree.export import export_app

    export_app(query['app'], buffer)


def write_custom(buffer, query):
    from otree.export import custom_export_app

    custom_export_app(query['app'], buffer)


def write_page_times(buffer, query):
    from otree.export import export_page_times

    export_page_times(buffer)


def write_chat(buffer, query):
    """As 5.11 views/export.py ExportChat."""
    import csv

    from otree.database import dbq
    from otree.models import Participant
    from otree.models_concrete import ChatMessage

    columns = (Participant._session_code, Participant.id_in_session, Participant.code)
    columns += (ChatMessage.channel, ChatMessage.nickname, ChatMessage.body, ChatMessage.timestamp)
    writer = csv.writer(buffer)
    writer.writerow(CHAT_COLUMNS)
    writer.writerows(dbq(ChatMessage).join(Participant).order_by(ChatMessage.timestamp).with_entities(*columns))
