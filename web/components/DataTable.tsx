// A table that becomes a list of labelled facts on a phone, so that nothing hides at the side.

import type { ReactNode } from 'react';
import { Table } from 'semantic-ui-react';

export type DataRow = { readonly key: string; readonly cells: readonly ReactNode[] };
type Props = {
  name: string;
  /** Titles of the columns; a title in brackets is read aloud but not shown. */
  columns: readonly string[];
  rows: readonly DataRow[];
};

/** The roles are written out, because a browser forgets them when the layout is no table's any more. */
export function DataTable({ name, columns, rows }: Props): ReactNode {
  return (
    <Table basic="very" unstackable selectable role="table" aria-label={name} className="data">
      <Table.Header role="rowgroup">
        <Table.Row role="row">
          {columns.map((title) => (
            <Table.HeaderCell key={title} scope="col" role="columnheader">
              {isHidden(title) ? <span className="said">{title.slice(1, -1)}</span> : title}
            </Table.HeaderCell>
          ))}
        </Table.Row>
      </Table.Header>
      <Table.Body role="rowgroup">
        {rows.map(({ key, cells }) => (
          <Table.Row key={key} role="row">
            {cells.map((cell, at) => (
              <Table.Cell key={columns[at]} role="cell" data-label={isHidden(columns[at] ?? '') ? '' : columns[at]}>
                {cell}
              </Table.Cell>
            ))}
          </Table.Row>
        ))}
      </Table.Body>
    </Table>
  );
}

const isHidden = (title: string): boolean => title.startsWith('(');
