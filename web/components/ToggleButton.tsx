// A button that is on or off, as screen readers are told; Semantic's own says that only of buttons that it paints green.

import type { ReactNode } from 'react';
import { Glyph } from './Glyph.tsx';

type Props = {
  isOn: boolean;
  onClick: () => void;
  /** Stays the same whether it is on or off. */
  label: string;
  /** Shown instead of the label. */
  icon?: string;
};

export const ToggleButton = ({ isOn, onClick, label, icon }: Props): ReactNode => (
  <button
    type="button"
    className={`ui basic ${isOn ? 'active ' : ''}${icon === undefined ? '' : 'icon '}button`}
    aria-pressed={isOn}
    onClick={onClick}
    {...(icon === undefined ? {} : { 'aria-label': label, title: label })}
  >
    {icon === undefined ? label : <Glyph name={icon} />}
  </button>
);
