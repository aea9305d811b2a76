/**
 * For tests: requests near those that a description allows, each answered as the description says. Good requests, and such with a part
 * that is odd, missing, too much or of the wrong type; the same ones in every run.
 */
import { expect } from '@jest/globals';
import { ERRORS, type ErrorCode } from '@sealwire/wire/errors';
import { ProblemAnswer } from '@sealwire/wire/http';
import fc from 'fast-check';
import { z } from 'zod';
import { type Operation, problemsOf } from '../http/openapi.ts';

const SEED = 0x5ea1;
const RUNS = 120;

export interface FuzzRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface FuzzOptions {
  readonly send: (request: FuzzRequest) => Promise<Response>;
  /** Headers of a request that is let in. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bodies that the server takes in earnest: chance does not sign manifests. */
  readonly bodies?: readonly object[];
  /** Values of parameters that name something, by the parameter's name. */
  readonly parameters?: Readonly<Record<string, readonly string[]>>;
}

/** Sends requests near those of `operation` and expects of each answer what the operation says. The statuses seen, each once. */
export async function fuzzOperation(operation: Operation, options: FuzzOptions): Promise<number[]> {
  const seen = new Set<number>();
  const property = fc.asyncProperty(requestsNear(operation, options), async (request) => {
    const response = await options.send(request);
    seen.add(response.status);
    expectDocumented(operation, response, await response.text());
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS });
  return [...seen];
}

function expectDocumented(operation: Operation, { status, headers }: Response, text: string): void {
  const type = headers.get('content-type')?.split(';')[0];
  const answer = operation.answers[status];
  if (answer) {
    expect(type).toBe(answer.schema ? (answer.contentType ?? 'application/json') : undefined);
    if (type === 'application/json') z.decode(answer.schema as z.ZodType, JSON.parse(text));
    else if (!answer.schema) expect(text).toBe('');
    return;
  }
  expect({ status, type }).toEqual({ status, type: 'application/problem+json' });
  const { code, status: said } = ProblemAnswer.parse(JSON.parse(text));
  expect(problemsOf(operation)).toContain(code);
  expect([said, ERRORS[code as ErrorCode].status]).toEqual([status, status]);
}

function requestsNear(operation: Operation, options: FuzzOptions): fc.Arbitrary<FuzzRequest> {
  const { headers = {}, bodies = [], parameters = {} } = options;
  const values = Object.fromEntries(
    (operation.parameters ?? []).map(({ name, schema }) => {
      const known = (parameters[name] ?? []).map((value) => fc.constant(value));
      return [name, fc.oneof(...known, goodOf(schema).map(String), fc.string({ unit: 'grapheme', maxLength: 300 }))];
    }),
  );
  const good = operation.body ? [goodOf(operation.body), ...bodies.map((body) => fc.constant(body))] : [ODD];
  const body = fc.oneof(
    { weight: 1, arbitrary: fc.oneof(...good) },
    { weight: 3, arbitrary: fc.oneof(...good).chain(spoilt) },
  );
  const text = fc.oneof(
    { weight: 8, arbitrary: body.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  );
  const type = fc.oneof(
    { weight: 8, arbitrary: fc.constant('application/json') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('text/plain', 'application/x-www-form-urlencoded', 'application/json;charset=utf-16'),
    },
  );
  const allowed = fc.oneof(
    { weight: 6, arbitrary: fc.constant(headers) },
    { weight: 1, arbitrary: fc.constantFrom({}, BAD_TOKEN) },
  );
  const hasBody = operation.method !== 'get';
  return fc
    .record({ values: fc.record(values), text: hasBody ? text : fc.constant(undefined), type, allowed })
    .map(({ values: given, text: raw, type: contentType, allowed: head }) => ({
      method: operation.method.toUpperCase(),
      path: pathOf(operation, given),
      headers: {
        ...{ ...head, ...headersOf(operation, given) },
        ...(raw === undefined ? {} : { 'content-type': contentType }),
      },
      body: raw,
    }));
}

const BAD_TOKEN = { authorization: 'Bearer x.y.z' };

function pathOf({ path, parameters = [] }: Operation, values: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, in: place } of parameters)
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(values[name]!));
    else if (place === 'query') query.set(name, values[name]!);
  return query.size > 0 ? `${filled}?${query}` : filled;
}

/** What no header can hold is left out. */
function headersOf({ parameters = [] }: Operation, values: Readonly<Record<string, string>>): Record<string, string> {
  const named = parameters.filter(({ in: place }) => place === 'header');
  return Object.fromEntries(named.map(({ name }) => [name, values[name]!.replace(/[^ -~]/g, '')]));
}

/** What no schema here asks for where it stands. */
const ODD: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 0.5, 2 ** 53, 1e308, '', '\u0000', '\u202e', [], {}, '__proto__'),
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: 'binary', minLength: 200, maxLength: 700 }),
);

/** `value` with one part of it another one, gone, or one too many. */
function spoilt(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value === 'string' && value !== '')
    return fc.oneof(
      ODD,
      fc
        .tuple(fc.nat(value.length - 1), fc.string({ maxLength: 2 }))
        .map(([at, other]) => value.slice(0, at) + other + value.slice(at + 1)),
    );
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return ODD;
  const parts = Object.entries(value);
  const rebuilt = (entries: readonly (readonly [string, unknown])[]) =>
    Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
  return fc.oneof(
    { weight: 1, arbitrary: ODD },
    { weight: 2, arbitrary: fc.nat(parts.length - 1).map((at) => rebuilt(parts.toSpliced(at, 1))) },
    { weight: 1, arbitrary: fc.tuple(fc.string(), ODD).map((more) => rebuilt([...parts, more])) },
    {
      weight: 6,
      arbitrary: fc
        .nat(parts.length - 1)
        .chain((at) => spoilt(parts[at]![1]).map((part) => rebuilt(parts.with(at, [parts[at]![0], part])))),
    },
  );
}

interface TextSchema {
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Values of a schema, as they travel. */
function goodOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  return fromJsonSchema(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

function fromJsonSchema(schema: z.core.JSONSchema.BaseSchema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const parts = Object.entries(properties).map(
        ([name, part]) => [name, fromJsonSchema(part as typeof schema)] as const,
      );
      return fc.record(Object.fromEntries(parts), { requiredKeys: required });
    }
    case 'array':
      return fc.array(fromJsonSchema(schema.items as typeof schema), {
        minLength: schema.minItems ?? 0,
        maxLength: schema.maxItems ?? 4,
      });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 2 ** 31, 2 ** 31) });
    case 'string':
      return textOf(schema);
    default:
      throw new Error(`no values of ${JSON.stringify(schema)}`);
  }
}

function textOf({ pattern, minLength = 0, maxLength = 300 }: TextSchema): fc.Arbitrary<string> {
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, 300) });
  return fc
    .stringMatching(new RegExp(pattern, 'u'))
    .filter((text) => text.length >= minLength && text.length <= maxLength);
}
