// Amounts of money as whole cents: no floating point comes near them.

/** Cents in a decimal text, halves away from zero as oTree rounds. @throws RangeError for anything but a decimal */
export function centsOf(amount: string): bigint {
  const [, sign, whole = '', part = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(plain(amount)) ?? [];
  if (sign === undefined) throw new RangeError(`not an amount: ${amount}`);
  const cents = BigInt(whole) * 100n + BigInt(part.slice(0, 2).padEnd(2, '0')) + ((part[2] ?? '0') >= '5' ? 1n : 0n);
  return sign === '-' ? -cents : cents;
}

/** `1.37`; always two decimals. */
export function inUnits(cents: bigint): string {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** JavaScript writes tiny numbers as 1e-7. */
const plain = (amount: string): string => (/e-/i.test(amount) ? Number(amount).toFixed(20) : amount);
