// A value that must never be printed: passwords, keys, database addresses.

const REDACTED = '[redacted]';

/**
 * Holds a secret string. Prints `[redacted]` in templates, JSON, `console.log` and errors;
 * only `open()` gives the value, and only an adapter or the sealing code should call it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  open(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}
