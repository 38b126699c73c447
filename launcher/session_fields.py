"""Session config fields that were entered in the panel, completion links above all, for every session of this oTree.

Sessions that the panel creates get the fields of their room by REST. Those that are made in oTree's own admin get
them from here: oTree 5.4 - 6.0 session.py `get_session_configs_dict` builds each config, when it is imported, from
SESSION_CONFIG_DEFAULTS and the project's own SESSION_CONFIGS on top. A field that a config of the project sets itself
is replaced: what somebody typed into the panel was typed last, and the panel shows both.
"""


def fill(settings, fields):
    """Put `fields`, {name: text}, into the settings. Must run before `otree.session` is imported."""
    if not fields:
        return
    settings.SESSION_CONFIG_DEFAULTS = dict(getattr(settings, 'SESSION_CONFIG_DEFAULTS', None) or {}, **fields)
    settings.SESSION_CONFIGS = [replaced(config, fields) for config in settings.SESSION_CONFIGS]


def replaced(config, fields):
    """The config, or a copy of it in which those of the fields that it has are the panel's."""
    own = {name: text for name, text in fields.items() if name in config}
    return dict(config, **own) if own else config
