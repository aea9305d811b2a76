/**
 * The HTTP bodies of the API server and of the manifests, as zod schemas: the only shape there is; OpenAPI is generated from them.
 * Byte strings travel as base64url without padding and come out of a schema as `Uint8Array`. Unknown fields are refused.
 */
import { z } from 'zod';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { parseAccountName, parseDeviceId } from './ids.ts';
import { LIMITS } from './limits.ts';

/** A codec between base64url text and `minimum` to `maximum` bytes. */
function bytes(minimum: number, maximum = minimum) {
  return z.codec(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]*$/, 'base64url without padding')
      .min(Math.ceil((minimum * 4) / 3))
      .max(Math.ceil((maximum * 4) / 3)),
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

/** Text that `parse` accepts, branded by it. */
function parsed<T extends string>(parse: (text: string) => T, pattern: string) {
  return z
    .string()
    .max(LIMITS.deviceIdBytes.value)
    .meta({ pattern })
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as Error).message, input: text });
        return z.NEVER;
      }
    });
}

const accountName = parsed(parseAccountName, '^[a-z0-9][a-z0-9._-]{2,31}$');
const deviceId = parsed(parseDeviceId, '^sip:[^@]+@[^;]+;gr=.+$');

/** A manifest as `manifest.ts` encodes it, with the account key's signature over it. */
export const SignedManifestBody = z.strictObject({
  manifest: bytes(1, LIMITS.manifestBytes.value),
  signature: bytes(64),
});

/** POST /v1/accounts. The manifest is version 1 and names the first device; the account key verifies it. */
export const CreateAccountBody = z.strictObject({
  name: accountName,
  accountKey: bytes(32),
  invitation: z.string().min(1).max(128).optional(),
  manifest: SignedManifestBody,
});
export const AccountAnswer = z.strictObject({ address: z.string(), createdAt: z.int() });

/** POST /v1/login/challenge: the same kind of answer for every device id, known or not. */
export const ChallengeBody = z.strictObject({ device: deviceId });
export const ChallengeAnswer = z.strictObject({ challenge: z.string().max(1024), expiresAt: z.int() });

/** POST /v1/login/token. `signature`: the login key over `loginMessage(...)` of `login.ts`. */
export const TokenBody = z.strictObject({ device: deviceId, challenge: z.string().max(1024), signature: bytes(64) });
export const TokenAnswer = z.strictObject({ token: z.string(), expiresAt: z.int() });

/** GET /v1/devices */
export const DevicesAnswer = z.strictObject({
  devices: z.array(
    z.strictObject({
      id: z.string(),
      curves: z
        .array(z.enum(['c25519', 'c448']))
        .min(1)
        .max(2),
      addedAt: z.int(),
      current: z.boolean(),
    }),
  ),
});

/** GET /directory/manifests/{name}: the newest. */
export const ManifestAnswer = z.strictObject({
  address: z.string(),
  accountKey: bytes(32),
  version: z.int().positive(),
  manifest: bytes(1, LIMITS.manifestBytes.value),
  signature: bytes(64),
});

/** GET /directory/manifests/{name}/history?after=VERSION: ascending; `next` is the `after` of the following page. */
export const ManifestHistoryAnswer = z.strictObject({
  address: z.string(),
  accountKey: bytes(32),
  manifests: z.array(SignedManifestBody).max(LIMITS.manifestPage.value),
  next: z.int().optional(),
});

/** GET /.well-known/sealwire: all that a client needs to know, from the domain name alone. Paths are relative to the origin. */
export const WellKnown = z.strictObject({
  domain: z.string(),
  api: z.string(),
  lime: z.string(),
  directory: z.string(),
  relay: z.string(),
  gate: z.enum(['open', 'invitation']),
  version: z.string(),
});

/** RFC 9457, with our stable `code`. */
export const ProblemAnswer = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  retryable: z.boolean(),
  errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
});
