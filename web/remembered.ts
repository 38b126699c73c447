// A choice that this browser remembers.

import { useState } from 'react';

/** The remembered choice, or the first one; a browser that keeps nothing still lets one choose. */
export function useRemembered<const C extends readonly string[]>(name: string, choices: C): [C[number], (choice: C[number]) => void] {
  const [choice, setChoice] = useState<C[number]>(() => choices.find((known) => known === read(name)) ?? choices[0] ?? '');
  const choose = (next: C[number]): void => {
    setChoice(next);
    try {
      localStorage.setItem(`arboretum.${name}`, next);
    } catch {
      // private windows may refuse; the choice then lasts as long as the page
    }
  };
  return [choice, choose];
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`arboretum.${name}`);
  } catch {
    return null;
  }
}
