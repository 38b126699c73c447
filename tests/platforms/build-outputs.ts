// Outputs as uv 0.13.8 and the launcher really printed them (Python 3.11.2, oTree 6.0.15), to test what we make of them.

export const unknownPackage = `error: No solution found when resolving dependencies
  cause: Because nosuchpackage-zz9 was not found in the package registry and you require nosuchpackage-zz9, we can conclude that your requirements are unsatisfiable.
`;

export const unknownVersion = `error: No solution found when resolving dependencies
  cause: Because there is no version of numpy==99.0 and you require numpy==99.0, we can conclude that your requirements are unsatisfiable.
`;

export const wrongPython = `error: No solution found when resolving dependencies
  cause: Because tensorflow==1.15.0 has no wheels with a matching Python ABI tag (e.g., \`cp311\`) and you require tensorflow==1.15, we can conclude that your requirements are unsatisfiable.

hint: You require CPython 3.11 (\`cp311\`), but we only found wheels for \`tensorflow\` (v1.15.0) with the following Python ABI tags: \`cp27m\`, \`cp27mu\`, \`cp35m\`, \`cp36m\`, \`cp37m\`
`;

export const conflict = `error: No solution found when resolving dependencies
  cause: Because otree>=6.0.15 depends on sqlalchemy==1.3.22 and you require otree==6.0.15, we can conclude that you require sqlalchemy==1.3.22.
         And because you require sqlalchemy>=2, we can conclude that your requirements are unsatisfiable.
`;

export const oldOtree = `error: Failed to build \`otree==5.6.0\`
  cause: The build backend returned an error
  cause: Call to \`setuptools.build_meta:__legacy__.get_requires_for_build_wheel\` failed (exit status: 1)

         [stderr]

         **********************************************************************************
         * Error: This version of oTree is only compatible with these Python versions:
         * 3.7, 3.8, 3.9
         **********************************************************************************

hint: Build failures usually indicate a problem with the package or the build environment
`;

export const badLine = `error: Couldn't parse requirement in \`-\` at position 14
  cause: Expected one of \`@\`, \`(\`, \`<\`, \`=\`, \`>\`, \`~\`, \`!\`, \`;\`, found \`a\`
         not a requirement
             ^
`;

export const deadIndex = `error: Request failed after 3 retries in 11.8s
  cause: Failed to fetch: http://127.0.0.1:9/simple/otree/
  cause: error sending request for url (http://127.0.0.1:9/simple/otree/)
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)
`;

export const noPgConfig = `error: Failed to build \`psycopg2==2.8.6\`
  cause: The build backend returned an error
  cause: Call to \`setuptools.build_meta:__legacy__.get_requires_for_build_wheel\` failed (exit status: 1)

         [stdout]
         running egg_info
         writing psycopg2.egg-info/PKG-INFO

         [stderr]
         Error: pg_config executable not found.

         pg_config is required to build psycopg2 from source.  Please add the directory
         containing pg_config to the $PATH or specify the full executable path with the

hint: Build failures usually indicate a problem with the package or the build environment
`;

export const noHeader = `error: Failed to build \`pygraphviz==1.11\`
  cause: The build backend returned an error
  cause: Call to \`setuptools.build_meta:__legacy__.build_wheel\` failed (exit status: 1)

         [stderr]
         warning: no previously-included files matching '*~' found anywhere in distribution
         warning: build_py: byte-compiling is disabled, skipping.

         pygraphviz/graphviz_wrap.c:3020:10: fatal error: graphviz/cgraph.h: No such file or directory
          3020 | #include "graphviz/cgraph.h"
               |          ^~~~~~~~~~~~~~~~~~~
         compilation terminated.

hint: This error likely indicates that you need to install a library that provides \`graphviz/cgraph.h\` for \`pygraphviz@1.11\`
`;

export const settingsSyntax = `    SESSION_CONFIGS = [
                      ^
SyntaxError: '[' was never closed
ARBORETUM-PROBLEM {"code": "settings_syntax", "file": "settings.py", "line": 1, "module": null, "message": "'[' was never closed"}
`;

export const settingsLack = `arboretum_launcher.problems.ProjectProblem: settings.py does not define SESSION_CONFIGS.
ARBORETUM-PROBLEM {"code": "settings_invalid", "file": "settings.py", "line": null, "module": null, "message": "settings.py does not define SESSION_CONFIGS."}
`;

export const moduleMissing = `  File "/tmp/arb-ground/exp/p/trust_game/__init__.py", line 1, in <module>
    import numpy_is_not_here
ModuleNotFoundError: No module named 'numpy_is_not_here'
ARBORETUM-PROBLEM {"code": "module_missing", "file": "trust_game/__init__.py", "line": 1, "module": "numpy_is_not_here", "message": "No module named 'numpy_is_not_here'"}
`;

export const nameMissing = `ImportError: cannot import name 'nothing' from 'json' (/usr/lib/python3.11/json/__init__.py)
ARBORETUM-PROBLEM {"code": "module_missing", "file": "trust_game/__init__.py", "line": 1, "module": "json", "message": "cannot import name 'nothing' from 'json' (/usr/lib/python3.11/json/__init__.py)"}
`;

export const reservedField = `<class 'trust_game.Player'>: You should rename the model field "index" to something else. This name is reserved.
ARBORETUM-PROBLEM {"code": "otree_check", "file": "trust_game/__init__.py", "line": 28, "module": null, "message": "<class 'trust_game.Player'>: You should rename the model field \\"index\\" to something else. This name is reserved."}
`;

export const databaseAway = `(Background on this error at: http://sqlalche.me/e/13/e3q8)
ARBORETUM-PROBLEM {"code": "database", "file": null, "line": null, "module": null, "message": "(psycopg2.OperationalError) connection to server on socket \\"/nonexist/.s.PGSQL.5432\\" failed: No such file or directory"}
`;

export const zeroDivision = `  File "/tmp/arb-ground/exp/p/trust_game/__init__.py", line 1, in <module>
    1/0
    ~^~
ZeroDivisionError: division by zero
`;
