// Making a password that can be read out loud: four groups, no letters that look alike.

const letters = 'abcdefghjkmnpqrstuvwxyz23456789';

/** 16 characters of 31 (79 bits), in groups of four. */
export function makePassword(): string {
  const groups = Array.from({ length: 4 }, () => Array.from({ length: 4 }, pickLetter).join(''));
  return groups.join('-');
}

/** Throws away the bytes that would make some letters more likely than others. */
function pickLetter(): string {
  const byte = new Uint8Array(1);
  const fair = 256 - (256 % letters.length);
  do crypto.getRandomValues(byte);
  while ((byte[0] ?? 255) >= fair);
  return letters.charAt((byte[0] ?? 0) % letters.length);
}
