/** What goes into a store is copied: a caller that writes into its arrays afterwards must not change what is stored. */
import type {
  Account,
  AppPassword,
  Device,
  OneTimePrekey,
  PrekeyBundle,
  SignedPrekey,
  StoredManifest,
} from './port.ts';

export function copyAccount({ address, accountKey, createdAt }: Account): Account {
  return { address, accountKey: accountKey.slice(), createdAt };
}

export function copyDevice({ id, identities, loginKey, addedAt }: Device): Device {
  const copies = identities.map(({ suite, identityKey }) => ({ suite, identityKey: identityKey.slice() }));
  return { id, identities: copies, loginKey: loginKey.slice(), addedAt };
}

export function copyManifest({ version, bytes, signature }: StoredManifest): StoredManifest {
  return { version, bytes: bytes.slice(), signature: signature.slice() };
}

export function copySignedPrekey({ id, publicKey, signature }: SignedPrekey): SignedPrekey {
  return { id, publicKey: publicKey.slice(), signature: signature.slice() };
}

export function copyOneTimePrekey({ id, publicKey }: OneTimePrekey): OneTimePrekey {
  return { id, publicKey: publicKey.slice() };
}

export function copyBundle({ identityKey, signedPrekey }: PrekeyBundle, oneTimePrekey?: OneTimePrekey): PrekeyBundle {
  return {
    identityKey: identityKey.slice(),
    signedPrekey: copySignedPrekey(signedPrekey),
    ...(oneTimePrekey && { oneTimePrekey: copyOneTimePrekey(oneTimePrekey) }),
  };
}

export function copyAppPassword({ id, name, createdAt, usedAt, verifier }: AppPassword): AppPassword {
  return { id, name, createdAt, usedAt, verifier: verifier.slice() };
}
