"""Rooms that are edited in the panel, known to the running oTree at once: no commit, no restart.

ROOMS_FILE, beside env.json: {"rooms": [{name, displayName, labels (null: any), usesSecureUrls}]}. A room of the panel
takes the place of one of the same name in settings.py; the others stay as the project made them.

Seams, alike in oTree 5.4 - 6.0: `room.py` makes ROOM_DICT (name -> room object) when it is imported, and views,
channels and models look rooms up there, so it is replaced before they copy its name. `views/rest.py` RESTRooms shows
`BaseRoom.rest_api_dict`. Every request and message of oTree runs under one lock (`middleware.py` lock2), and so does
every look-up: the file is looked at there, as oTree itself reads its label files anew each time.
"""
import json
import os


def install(path):
    """Let oTree look rooms up in the file at `path`, too. Must run before views and channels are imported."""
    import otree.room

    tell_presence(otree.room)
    otree.room.ROOM_DICT = LiveRooms(otree.room, path)
    let_sessions_outlive_rooms()


class LiveRooms(dict):
    """ROOM_DICT that follows the file. A file that is away or cannot be read changes nothing, except that a missing
    one at the start means no rooms of the panel."""

    def __init__(self, room_module, path):
        super().__init__(room_module.ROOM_DICT)
        self._module = room_module
        self._project = dict(room_module.ROOM_DICT)
        self._closed = {}
        self._path = path
        self._seen = None

    def refresh(self):
        try:
            found = os.stat(self._path)
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
            if seen == self._seen:
                return
            with open(self._path, encoding='utf8') as stream:
                wanted = json.load(stream)['rooms']
        except (OSError, ValueError, KeyError, TypeError):
            return
        self._seen = seen
        self._replace({room['name']: room for room in wanted})

    def _replace(self, wanted):
        before = {**self._closed, **dict(super().items())}
        after = dict(self._project)
        for name, room in wanted.items():
            after[name] = make_room(self._module, room, self._project.get(name))
        # Whoever waits on a room's page leaves it through the object that took the place of the old one.
        self._closed = {name: closed(self._module, name) for name in before if name not in after}
        for name, room in {**after, **self._closed}.items():
            take_over_presence(room, before.get(name))
        super().clear()
        super().update(after)

    def __missing__(self, name):
        return self._closed[name]

    def __getitem__(self, name):
        self.refresh()
        return super().__getitem__(name)

    def __contains__(self, name):
        self.refresh()
        return super().__contains__(name)

    def values(self):
        self.refresh()
        return super().values()


def make_room(module, room, replaced):
    """A room object of this oTree. A welcome page of the project's own room stays (oTree 6 only)."""
    page = getattr(replaced, 'welcome_page', None)
    more = {'welcome_page': page} if page else {}
    if room['labels'] is None:
        return module.NoLabelRoom(name=room['name'], display_name=room['displayName'], **more)

    class PanelRoom(module.LabelRoom):
        def get_participant_labels(self):
            return list(room['labels'])

    return PanelRoom(
        name=room['name'],
        display_name=room['displayName'],
        participant_label_file='(edited in the panel)',
        use_secure_urls=bool(room['usesSecureUrls']),
        **more,
    )


def closed(module, name):
    """What is left of a removed room: pages that are open can still leave it, nobody comes in (404)."""
    return make_room(module, {'name': name, 'displayName': name, 'labels': [], 'usesSecureUrls': False}, None)


def take_over_presence(room, before):
    present = getattr(before, 'present_list', None) or []
    room.present_list = present
    room.present_count = len(present)


def tell_presence(module):
    """Who waits in a room's page is known to oTree's process alone: told in /api/rooms, which asks for the key."""
    original = module.BaseRoom.rest_api_dict

    def presence_add(self, label):
        self.__dict__.setdefault('present_list', []).append(label)
        self.present_count = len(self.present_list)

    def presence_remove(self, label):
        present = self.__dict__.setdefault('present_list', [])
        if label in present:
            present.remove(label)
        self.present_count = len(present)

    def rest_api_dict(self, request):
        present = [label for label in dict.fromkeys(self.__dict__.get('present_list', [])) if label]
        return dict(original(self, request), present_labels=present)

    for kind in (module.NoLabelRoom, module.LabelRoom):
        kind.presence_add = presence_add
        kind.presence_remove = presence_remove
    module.BaseRoom.rest_api_dict = rest_api_dict


def let_sessions_outlive_rooms():
    """A session whose room was removed: its admin pages would fail with KeyError (6.0 models/session.py get_room)."""
    import otree.models

    original = otree.models.Session.get_room

    def get_room(self):
        try:
            return original(self)
        except KeyError:
            return None

    otree.models.Session.get_room = get_room
