/** An identity key for people to compare: all of it, in hexadecimal, four digits at a time. */
export function fingerprint(identityKey: Uint8Array): string {
  return (
    Buffer.from(identityKey)
      .toString('hex')
      .match(/.{1,4}/g) ?? []
  ).join(' ');
}
