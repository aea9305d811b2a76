/** The administrator's door as OpenAPI sees it, where `ADMIN_LISTEN` opens it: made of the operations themselves (`openapi-admin.json`). */
import { type ApiDescription, type Operation, openApiDocument } from '@sealwire/service/openapi';
import { DESCRIBED } from './answers.ts';
import type { AdminOperation } from './operation.ts';

/** Orders that are taken over the socket of the machine alone are not in it. */
export function adminDescription(operations: readonly AdminOperation[], version: string): ApiDescription {
  return {
    title: 'Sealwire administration',
    version,
    description:
      'The orders of `sealwire-admin`, where `ADMIN_LISTEN` lets them in. Each is a POST of a JSON object with the token of a role, and is in the audit trail. Errors are RFC 9457 problems with a stable `code`. Bodies are strict: unknown fields are refused. Times are ms since 1970.',
    schemas: {},
    operations: operations.filter(({ needs }) => needs !== 'machine').map(describe),
  };
}

function describe({ name, path, needs, changes, body }: AdminOperation): Operation {
  const { summary, answer, maySayNotFound, maySayLimitReached } = DESCRIBED[name]!;
  return {
    id: name.replace(/ (.)/, (_, letter: string) => letter.toUpperCase()),
    method: 'post',
    path,
    summary,
    description: `Takes the role ${needs}.${changes ? ' Changes something.' : ''}`,
    caller: 'administrator',
    body,
    answers: { 200: { description: 'done', schema: answer } },
    problems: [
      'unauthorized',
      'forbidden',
      ...(maySayNotFound ? (['not-found'] as const) : []),
      ...(maySayLimitReached ? (['limit-reached'] as const) : []),
      'unavailable',
    ],
  };
}

export function adminOpenApiText(operations: readonly AdminOperation[], version: string): string {
  return `${JSON.stringify(openApiDocument(adminDescription(operations, version), ''), null, 2)}\n`;
}
