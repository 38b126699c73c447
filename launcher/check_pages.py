"""Which pages have no template: oTree looks for it only when the first participant gets there, and answers 500.

Seams, alike in oTree 5.4 - 6.0: views/abstract.py `get_template_name` (template_name, else APP/CLASS.html),
templating/loader.py `ibis_loader.search_template`, common.py `get_pages_module`. No database is touched.
"""
import json
import os
import sys


def print_missing():
    """Print `ARBORETUM-CHECK {json}` as the last line of stdout and end the process."""
    from otree import settings

    missing = [page for app in settings.OTREE_APPS for page in missing_in(app)]
    sys.stdout.write('\nARBORETUM-CHECK %s\n' % json.dumps({'missingTemplates': missing}))
    sys.stdout.flush()
    os._exit(0)  # nothing may print behind it


def missing_in(app):
    from otree.common import get_pages_module
    from otree.templating.loader import TemplateLoadError, ibis_loader

    for page in getattr(get_pages_module(app), 'page_sequence', []):
        template = template_of(page)
        if template:
            try:
                ibis_loader.search_template(template)
            except TemplateLoadError:
                yield {'app': app, 'page': page.__name__, 'template': template, 'there': written_otherwise(template)}


def template_of(page):
    """The template's name; None where the page finds it in a way of its own."""
    from otree.api import Page, WaitPage

    base = next((kind for kind in (WaitPage, Page) if issubclass(page, kind)), None)
    own_ways = ('get_template_name', '_get_same_name_template', 'render', 'get', 'render_to_response')
    if base is None or any(getattr(page, way, None) is not getattr(base, way, None) for way in own_ways):
        return None
    if page.template_name or base is WaitPage:
        return page.template_name
    app = page.__module__.split('.')[0]
    return None if is_written_in_python(app, page.__name__) else '%s/%s.html' % (app, page.__name__)


def is_written_in_python(app, name):
    """oTree 6 pypage.py: a page may be a Python file instead of a template."""
    try:
        from otree.pypage import get_pypage_path
    except ImportError:
        return False
    return bool(get_pypage_path(app, name))


def written_otherwise(template):
    """The file that is called alike but for capital letters, which only Windows and macOS take for the same."""
    app, _, name = template.rpartition('/')
    for folder in (app, os.path.join('_templates', app), os.path.join(app.split('/')[0], 'templates', app)):
        if os.path.isdir(folder or '.'):
            for there in os.listdir(folder or '.'):
                if there.lower() == name.lower():
                    return os.path.join(folder, there)
    return None
