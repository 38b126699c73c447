// A table that becomes a list of labelled facts on a phone, so that nothing hides at the side.

import type { ReactNode } from 'react';
import { Table } from 'semantic-ui-react';

export type Column<T> = {
  readonly title: string;
  /** Read aloud, not shown: for a column of buttons. */
  readonly isTitleHidden?: boolean;
  readonly render: (row: T) => ReactNode;
};
type Props<T> = { name: string; columns: readonly Column<T>[]; rows: readonly T[] };

/** The roles are written out, because a browser forgets them when the layout is no table's any more. */
export function DataTable<T extends { readonly id: string }>({ name, columns, rows }: Props<T>): ReactNode {
  return (
    <Table basic="very" unstackable selectable role="table" aria-label={name} className="data">
      <Table.Header role="rowgroup">
        <Table.Row role="row">
          {columns.map(({ title, isTitleHidden }) => (
            <Table.HeaderCell key={title} scope="col" role="columnheader">
              {isTitleHidden ? <span className="said">{title}</span> : title}
            </Table.HeaderCell>
          ))}
        </Table.Row>
      </Table.Header>
      <Table.Body role="rowgroup">
        {rows.map((row) => (
          <Table.Row key={row.id} role="row">
            {columns.map(({ title, isTitleHidden, render }) => (
              <Table.Cell key={title} role="cell" data-label={isTitleHidden ? '' : title}>
                {/* one element: on a phone it stands beside the column's title */}
                <div>{render(row)}</div>
              </Table.Cell>
            ))}
          </Table.Row>
        ))}
      </Table.Body>
    </Table>
  );
}
