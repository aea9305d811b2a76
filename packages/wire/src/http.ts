/**
 * The HTTP bodies of the API server and of the manifests, as zod schemas: the only shape there is; OpenAPI is generated from them.
 * Byte strings travel as base64url without padding and come out of a schema as `Uint8Array`; ids come out parsed. Each schema works both
 * ways: `z.decode` what arrived, `z.encode` what leaves. Unknown fields of a request are refused; those of an answer are dropped, so
 * that a newer server may say more.
 */
// As a name space: bundlers then leave out what nobody uses, messages in forty languages among it.
import * as z from 'zod';
import { base64urlPattern, decodeBase64url, encodeBase64url } from './base64url.ts';
import { ALLOWED_ENTRY_BYTES, ALLOWED_SALT_BYTES, CONTACT_POLICIES } from './contacts.ts';
import { ID_PATTERNS, parseAccountAddress, parseAccountName, parseDeviceId } from './ids.ts';
import { SUITE_NAMES } from './lime-server.ts';
import { LIMITS } from './limits.ts';
import { LINK_ID_BYTES } from './linking.ts';
import { MAIL_ADDRESS, MAIL_ADDRESS_CHARACTERS } from './mail-address.ts';
import { opaqueString } from './precis.ts';

/** A codec between base64url text and `minimum` to `maximum` bytes. */
function bytes(minimum: number, maximum = minimum) {
  return z.codec(
    z
      .string()
      .min(Math.ceil((minimum * 4) / 3))
      .max(Math.ceil((maximum * 4) / 3))
      .meta({ pattern: base64urlPattern(minimum, maximum) }),
    z.custom<Uint8Array>((value) => value instanceof Uint8Array),
    {
      decode: (text, context) => {
        try {
          return decodeBase64url(text);
        } catch (error) {
          context.issues.push({ code: 'custom', message: (error as Error).message, input: text });
          return z.NEVER;
        }
      },
      encode: encodeBase64url,
    },
  );
}

/** A codec between text and what `parse` makes of it. `text` is for readers of the OpenAPI document; `parse` decides. */
function parsed<T extends string>(parse: (text: string) => T, text: z.ZodString) {
  return z.codec(
    text,
    z.custom<T>((value) => typeof value === 'string'),
    {
      decode: (text, context) => {
        try {
          return parse(text);
        } catch (error) {
          context.issues.push({ code: 'custom', message: (error as Error).message, input: text });
          return z.NEVER;
        }
      },
      encode: (value) => value,
    },
  );
}

/** As long as an id may be; JSON Schema counts characters, so that its reader is told of the bytes in words. */
const like = (pattern: string) =>
  z
    .string()
    .max(LIMITS.deviceIdBytes.value)
    .meta({ pattern, description: `At most ${LIMITS.deviceIdBytes.value} bytes of UTF-8.` });
const accountName = parsed(parseAccountName, z.string().max(32).meta({ pattern: ID_PATTERNS.accountName }));
const accountAddress = parsed(parseAccountAddress, like(ID_PATTERNS.accountAddress));
const deviceId = parsed(parseDeviceId, like(ID_PATTERNS.deviceId));
/** Printable ASCII without spaces: what a server made and a client hands back as it is. */
const token = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[\x21-\x7e]*$/, 'printable ASCII');
const invitation = token(128);
const challenge = token(1024);
/** ms since 1970. */
const time = z.int().nonnegative();

/** A manifest as `manifest.ts` encodes it, with the account key's signature over it. */
export const SignedManifestBody = z.strictObject({
  manifest: bytes(1, LIMITS.manifestBytes.value),
  signature: bytes(64),
});

/** POST /v1/accounts. The manifest is version 1 and names the first device; the account key verifies it. */
export const CreateAccountBody = z.strictObject({
  name: accountName,
  accountKey: bytes(32),
  invitation: invitation.optional(),
  manifest: SignedManifestBody,
});
export const AccountAnswer = z.object({ address: accountAddress, createdAt: time });

/** POST /v1/resets. The account key is a new one, the manifest version 1 under it; `code`: from the operator, for this account once. */
export const ResetAccountBody = z.strictObject({
  name: accountName,
  accountKey: bytes(32),
  manifest: SignedManifestBody,
  code: invitation,
});

/** POST /v1/activations: a code by mail, where the gate is `email`. It is the `invitation` of one account. */
export const ActivationBody = z.strictObject({
  email: z.string().max(MAIL_ADDRESS_CHARACTERS).regex(MAIL_ADDRESS, 'not a mail address'),
});
export const ActivationAnswer = z.object({ expiresAt: time });

/** POST /v1/login/challenge: the same kind of answer for every device id, known or not. */
export const ChallengeBody = z.strictObject({ device: deviceId });
export const ChallengeAnswer = z.object({ challenge, expiresAt: time });

/** POST /v1/login/token. `signature`: the login key over `loginMessage(...)` of `login.ts`. */
export const TokenBody = z.strictObject({ device: deviceId, challenge, signature: bytes(64) });
export const TokenAnswer = z.object({ token: token(LIMITS.tokenBytes.value), expiresAt: time });

/** POST /v1/login/app-password: for a device that has no login key of its own. `user`: the account's name. */
export const AppPasswordLoginBody = z.strictObject({ device: deviceId, user: token(255), password: token(128) });

/** POST /v1/app-passwords. `name`: the owner's own word for it, as PRECIS's OpaqueString has it. */
export const MakeAppPasswordBody = z.strictObject({
  name: parsed(
    opaqueString,
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'no control characters')
      .meta({
        pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
        description: 'An OpaqueString of PRECIS (RFC 8265 section 4.2): nothing invisible, private or unassigned.',
      }),
  ),
});
/** `password` is shown this once; `user` and `realm` are what HTTP Digest wants besides. */
export const NewAppPasswordAnswer = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: time,
  user: z.string(),
  realm: z.string(),
  password: z.string(),
});
/** GET /v1/app-passwords. `usedOn`: the day (UTC) of the last use; absent: never used. */
export const AppPasswordsAnswer = z.object({
  appPasswords: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      createdAt: time,
      usedOn: z.iso.date().optional(),
    }),
  ),
});

/** POST /v1/attachments. `bytes`: of the encrypted file with its padding. */
export const BeginAttachmentBody = z.strictObject({ bytes: z.int().positive() });

/**
 * An attachment, to its owner. `parts`: those to be sent yet, each by PUT to its `url`, which may lead to another server and means nothing
 * to a client; none when it is complete. `url`: then to be read there by whoever knows it. Both are references, relative to this answer's
 * address (RFC 3986 section 5), and good until `expiresAt`.
 */
export const AttachmentAnswer = z.object({
  id: z.string(),
  bytes: z.int().positive(),
  state: z.enum(['uploading', 'complete']),
  expiresAt: time,
  parts: z.array(
    z.object({
      number: z.int().positive(),
      offset: z.int().nonnegative(),
      bytes: z.int().positive(),
      url: z.string(),
    }),
  ),
  url: z.string().optional(),
});

/** GET /v1/contacts. Without `list` there is none yet, and `version` is 0. */
export const ContactsAnswer = z.object({
  version: z.int().nonnegative(),
  list: bytes(1, LIMITS.contactListBytes.value).optional(),
});
/** PUT /v1/contacts. `after`: the version in whose place it comes; 0: there is none. */
export const ContactsBody = z.strictObject({
  after: z.int().nonnegative(),
  version: z.int().positive(),
  list: bytes(1, LIMITS.contactListBytes.value),
});
/** GET and PUT /v1/contacts/policy: who may write. `version`: of the list that it was made from, 0 where none was; `allowed`: docs/spec/contacts.md section 4. */
export const ContactPolicyBody = z.strictObject({
  version: z.int().nonnegative(),
  policy: z.enum(CONTACT_POLICIES),
  salt: bytes(0, ALLOWED_SALT_BYTES),
  allowed: bytes(0, ALLOWED_ENTRY_BYTES * LIMITS.contactsPerAccount.value),
});
/** GET /v1/blocks */
export const BlocksAnswer = z.object({ blocked: z.array(accountAddress) });

/** POST /v1/links: a channel for a device that wants to join an account. */
export const LinkAnswer = z.object({ id: bytes(LINK_ID_BYTES), expiresAt: time });
/** PUT /v1/links/{id}/old/{slot} and …/new/{slot}. */
export const LinkMessageBody = z.strictObject({ message: bytes(1, LIMITS.linkMessageBytes.value) });
/** GET /v1/links/{id}/{slot}: without `message` the other device has not left it yet. */
export const LinkMessageAnswer = z.object({ message: bytes(1, LIMITS.linkMessageBytes.value).optional() });

/** GET /v1/devices: `listed` as the newest manifest has them, and then those that `waiting` for the owner to admit them (docs/adr/0008). */
export const DevicesAnswer = z.object({
  devices: z.array(
    z.object({
      id: deviceId,
      state: z.enum(['listed', 'waiting']),
      identities: z.array(z.object({ curve: z.enum(SUITE_NAMES), identityKey: bytes(32, 57) })),
      curves: z.array(z.enum(SUITE_NAMES)).min(1).max(SUITE_NAMES.length),
      /** Of a waiting one: since when it waits. */
      addedAt: time,
      current: z.boolean(),
    }),
  ),
});

/** GET /directory/manifests/{name}: the newest. */
export const ManifestAnswer = z.object({
  address: accountAddress,
  accountKey: bytes(32),
  version: z.int().positive(),
  manifest: bytes(1, LIMITS.manifestBytes.value),
  signature: bytes(64),
  /** Of the deployment's own authority, where there is one: `account-certificate.ts`. */
  certificate: bytes(1, LIMITS.accountCertificateBytes.value).optional(),
});

/** GET /directory/manifests/{name}/history?after=VERSION: ascending; `next` is the `after` of the following page. */
export const ManifestHistoryAnswer = z.object({
  address: accountAddress,
  accountKey: bytes(32),
  manifests: z.array(SignedManifestBody).max(LIMITS.manifestPage.value),
  next: z.int().positive().optional(),
});

/**
 * POST /directory/keys/check, of the device whose token asks: `keys-check.ts` makes the digests. 204 when the directory holds the same
 * of each suite named; else the problem `keys-differ`, whose `errors` point to each part that differs, as `/suites/0/signedPrekey`.
 */
export const KeysCheckBody = z.strictObject({
  suites: z
    .array(
      z.strictObject({
        /** The id on the wire: LIME's curve id. */
        suite: z.int().min(1).max(255),
        identityKey: bytes(32),
        signedPrekey: bytes(32),
        oneTimePrekeys: bytes(32),
      }),
    )
    .min(1)
    .max(16),
});

/** GET /directory/peer-key: the Ed25519 key by which the directories of other domains know this one. */
export const PeerKeyAnswer = z.object({ domain: z.string(), publicKey: bytes(32) });

/** GET /v1/.well-known/jwks.json: RFC 7517, with the Ed25519 keys of RFC 8037. */
export const JwksAnswer = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: bytes(32),
      kid: z.string(),
      alg: z.string(),
      use: z.literal('sig'),
    }),
  ),
});

/** GET /.well-known/sealwire: all that a client needs to know, from the domain name alone. Paths are relative to the origin. */
export const WellKnown = z.object({
  domain: z.string(),
  api: z.string(),
  lime: z.string(),
  directory: z.string(),
  relay: z.string(),
  gate: z.enum(['open', 'invitation', 'email']),
  version: z.string(),
  /** Under which logins are taken (wire/login), the server's own first. Absent: of an older server. */
  origins: z.array(z.string()).min(1).max(LIMITS.loginOrigins.value).optional(),
  /** Ed25519, base64url: by which the key directory signs its answers (wire/answer-signature), where the API server knows it. */
  directoryKey: z.string().optional(),
});

/** RFC 9457, with our stable `code`. */
export const ProblemAnswer = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  code: z.string(),
  detail: z.string().optional(),
  retryable: z.boolean(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});
