// New SSH keys, by ssh2.

import ssh2 from 'ssh2';

/** A new ed25519 pair in OpenSSH's format. ssh2 1.17 writes about one in 330 that it cannot read back: such a one is made anew. */
export function newSshKey(comment = ''): { readonly private: string; readonly public: string } {
  const key = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  return ssh2.utils.parseKey(key.private) instanceof Error ? newSshKey(comment) : key;
}
