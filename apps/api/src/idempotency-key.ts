/** The header Idempotency-Key (an Internet-Draft of that name): what a client sends again finds what its first request made. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Problem } from '@sealwire/service/problem';
import { z } from 'zod';

export const IdempotencyKeySchema = z.string().regex(/^[A-Za-z0-9_-]{16,64}$/);

interface KeyedRequest {
  readonly headers: { readonly 'idempotency-key'?: string };
}

/** Undefined: there is none. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined => {
  const key = context.switchToHttp().getRequest<KeyedRequest>().headers['idempotency-key'];
  if (key === undefined || IdempotencyKeySchema.safeParse(key).success) return key;
  throw new Problem('bad-request', { detail: 'an Idempotency-Key has 16 to 64 letters, digits, - and _' });
});
