/**
 * The messages of the LIME key server: lime-protocol section 3, all suites (docs/spec/lime-key-server.md). Numbers are big endian.
 *
 *   header  u8 version = 01 | u8 type | u8 curve id
 *   OPk     X public key[x] | u32 id
 *   bundle  u16 length | device id | u8 flag | Ik[ed] | SPk[x] | u32 SPk id | signature[sig] | OPk when flag is 1
 *
 * `decodeRequest` checks in the order of section 4.1 and 4.2; the first failure decides the error that liblime gets to see.
 */
export * from './lime-server/answers.ts';
export * from './lime-server/messages.ts';
export * from './lime-server/requests.ts';
