"""The control group of one confined run: cgroup v2, v1 or a mixture, as this machine mounts them.

Which controller lives where is read from /proc/self/mountinfo (see proc(5) §3.5 and cgroups(7)). A v1 mount of a
controller wins over the unified tree, because the kernel gives a controller to one hierarchy only. Whatever is not
allowed is left to rlimits and said in `report`.
"""
import os


class ControlGroup:
    """Folders to join, one per hierarchy; empty when nothing was asked or nothing was allowed."""

    def __init__(self):
        self.folders = []
        self.limits_memory = False
        self.report = ''
        self._killed_before = 0

    @classmethod
    def create(cls, name, memory_mib, processes):
        """Make or reuse the group `name` with these limits (None = none); never raises."""
        group = cls()
        wanted = {'memory': memory_mib, 'pids': processes}
        wanted = {controller: value for controller, value in wanted.items() if value}
        if not wanted:
            return group
        refusals = []
        for controller, value in wanted.items() if name else ():
            refusals += group._limit(controller, value, clean(name))
        if group.folders and not refusals:
            group.report = 'limits by cgroup: %s' % ', '.join(group.folders)
        elif group.folders:
            group.report = 'limits by cgroup: %s; by rlimit: %s' % (', '.join(group.folders), '; '.join(refusals))
        else:
            group.report = 'limits by rlimit (%s)' % ('; '.join(refusals) or 'no cgroup was named')
        group._killed_before = group._count_kills()
        return group

    def join(self):
        """Move the calling process into the group; to be called while still root."""
        for folder in self.folders:
            write(folder, 'cgroup.procs', '0')

    def ran_out_of_memory(self):
        """True when the kernel ended a process of this group for its memory since `create`."""
        return self._count_kills() > self._killed_before

    def remove(self):
        """Take the folders away when nothing runs in them; a busy one stays."""
        for folder in self.folders:
            try:
                os.rmdir(folder)
            except OSError:
                pass

    def _limit(self, controller, value, name):
        mount, version = find_mount(controller)
        if not mount:
            return ['%s: no controller' % controller]
        folder = os.path.join(mount, name)
        try:
            os.makedirs(folder, exist_ok=True)
            if version == 2:
                hand_down(mount, name, controller)
            set_limit(folder, controller, version, value)
        except OSError as error:
            return ['%s: %s' % (controller, error.strerror)]
        if folder not in self.folders:
            self.folders.append(folder)
        self.limits_memory = self.limits_memory or controller == 'memory'
        return []

    def _count_kills(self):
        """Source: `oom_kill` in memory.events (v2) and memory.oom_control (v1, Linux 4.13)."""
        for folder in self.folders:
            for file in ('memory.events', 'memory.oom_control'):
                for line in read(os.path.join(folder, file)).splitlines():
                    if line.startswith('oom_kill '):
                        return int(line.split()[1])
        return 0


def set_limit(folder, controller, version, value):
    if controller == 'pids':
        write(folder, 'pids.max', value)
        return
    size_bytes = value * 1024 * 1024
    if version == 1:
        try:
            write(folder, 'memory.limit_in_bytes', size_bytes)
        except OSError:  # a reused group whose old sum with swap is lower
            write_if_there(folder, 'memory.memsw.limit_in_bytes', -1)
            write(folder, 'memory.limit_in_bytes', size_bytes)
        write_if_there(folder, 'memory.memsw.limit_in_bytes', size_bytes)
        return
    write(folder, 'memory.max', size_bytes)
    write_if_there(folder, 'memory.swap.max', 0)
    write_if_there(folder, 'memory.oom.group', 1)


def hand_down(mount, name, controller):
    """cgroup v2: each parent must pass the controller on, from the top down."""
    parent = mount
    for part in name.split('/'):
        if controller not in read(os.path.join(parent, 'cgroup.subtree_control')).split():
            write(parent, 'cgroup.subtree_control', '+' + controller)
        parent = os.path.join(parent, part)


def find_mount(controller):
    """(folder, version) of the hierarchy that has the controller, or (None, 0)."""
    unified = None
    for line in read('/proc/self/mountinfo').splitlines():
        place, _, kind = line.partition(' - ')
        mount, (fstype, _, options) = place.split()[4], kind.split(' ', 2)
        if fstype == 'cgroup' and controller in options.split(','):
            return mount, 1
        if fstype == 'cgroup2' and controller in read(os.path.join(mount, 'cgroup.controllers')).split():
            unified = mount
    return (unified, 2) if unified else (None, 0)


def clean(name):
    """`arboretum/17` from what was given; a full path below /sys/fs/cgroup loses that part."""
    parts = [part for part in name.replace('/sys/fs/cgroup/', '', 1).split('/') if part not in ('', '.', '..')]
    return '/'.join(parts) or 'arboretum'


def write(folder, file, value):
    with open(os.path.join(folder, file), 'w') as stream:
        stream.write(str(value))


def write_if_there(folder, file, value):
    try:
        write(folder, file, value)
    except OSError:
        pass  # a kernel without swap accounting


def read(path):
    try:
        with open(path) as stream:
            return stream.read()
    except OSError:
        return ''
