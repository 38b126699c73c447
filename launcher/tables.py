"""Whether the tables of the database are those that the running project needs, asked of the process that uses them.

oTree starts on tables of an older version, and fails at the first request that touches a column which is not there
(measured, 5.11 and 6.0). Seam: `otree.database` AnyModel.metadata and engine, alike in 5.4 - 6.0; SQLAlchemy 1.3.22.
"""


def look():
    """{"dialect", "gaps": [{kind, table, column}]}; kind: `missing`, or `required` for a column that the project leaves empty."""
    from otree.database import AnyModel, engine
    from sqlalchemy import inspect

    inspector = inspect(engine)
    there = set(inspector.get_table_names())
    gaps = []
    for table in AnyModel.metadata.sorted_tables:
        found = {column['name']: column for column in inspector.get_columns(table.name)} if table.name in there else {}
        wanted = {column.name for column in table.columns}
        gaps += [{'kind': 'missing', 'table': table.name, 'column': name} for name in sorted(wanted - set(found))]
        gaps += [
            {'kind': 'required', 'table': table.name, 'column': name}
            for name in sorted(set(found) - wanted)
            if not found[name]['nullable'] and found[name].get('default') is None
        ]
    return {'dialect': engine.dialect.name, 'gaps': gaps}
