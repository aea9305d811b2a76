/** OpenAPI 3.1 from the zod schemas that also validate: a server lists its operations, this makes the document. */
import { ERRORS, type ErrorCode } from '@sealwire/wire/errors';
import { ProblemAnswer } from '@sealwire/wire/http';
import { z } from 'zod';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly schema: z.ZodType;
}

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless given. */
  readonly contentType?: string;
}

/** By what a caller is known. */
const SCHEMES = {
  device: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  administrator: { type: 'http', scheme: 'bearer', description: 'as `sealwire-admin tokens make` shows it' },
} as const;

export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** `/v1/devices/{id}` */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly caller: 'anyone' | keyof typeof SCHEMES;
  readonly parameters?: readonly Parameter[];
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Of its own: see `problemsOf`. */
  readonly problems: readonly ErrorCode[];
}

export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** Component names of the schemas that operations use. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
  readonly operations: readonly Operation[];
}

/** What any request may be answered with: its head has one reading, or it is refused (request-head.ts). */
const ANY_REQUEST: readonly ErrorCode[] = ['bad-request'];
/** And one that may bring a body, whether the operation wants it or not (nest/hardening.ts). */
const ANY_BODY: readonly ErrorCode[] = ['payload-too-large', 'unsupported-media-type'];

/** All problems that the operation may be answered with, its own last. */
export function problemsOf({ method, problems }: Operation): readonly ErrorCode[] {
  return [...ANY_REQUEST, ...(method === 'get' ? [] : ANY_BODY), ...problems];
}

type Json = Record<string, unknown>;

const componentUri = (name: string) => `#/components/schemas/${name}`;

/**
 * The document as plain data, in a stable order. `basePath`: under which the paths are at the public origin (`/chat`), empty for none.
 */
export function openApiDocument(api: ApiDescription, basePath: string): Json {
  const schemas: Record<string, z.ZodType> = { ...api.schemas, Problem: ProblemAnswer };
  const names = new Map(Object.entries(schemas).map(([name, schema]) => [schema, name]));
  const refer = (schema: z.ZodType): Json => {
    const name = names.get(schema);
    return name ? { $ref: componentUri(name) } : jsonSchema(schema);
  };
  const callers = new Set<string>(api.operations.map(({ caller }) => caller));
  const paths: Record<string, Json> = {};
  for (const operation of api.operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation, refer) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: api.title,
      version: api.version,
      description: api.description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: basePath || '/', description: 'the server that this description comes from' }],
    paths,
    components: {
      securitySchemes: Object.fromEntries(Object.entries(SCHEMES).filter(([name]) => callers.has(name))),
      schemas: componentSchemas(schemas),
    },
  };
}

function describe(operation: Operation, refer: (schema: z.ZodType) => Json): Json {
  const { parameters = [], body } = operation;
  const answers = Object.entries(operation.answers).map(([status, answer]) => [
    status,
    {
      description: answer.description,
      ...(answer.schema
        ? { content: { [answer.contentType ?? 'application/json']: { schema: refer(answer.schema) } } }
        : {}),
    },
  ]);
  return {
    operationId: operation.id,
    summary: operation.summary,
    description: operation.description,
    security: operation.caller === 'anyone' ? [] : [{ [operation.caller]: [] }],
    ...(parameters.length ? { parameters: parameters.map(describeParameter) } : {}),
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: refer(body) } } } } : {}),
    responses: { ...Object.fromEntries(answers), ...describeProblems(problemsOf(operation), refer(ProblemAnswer)) },
  };
}

function describeParameter({ name, in: place, description, schema }: Parameter): Json {
  return { name, in: place, required: place === 'path', description, schema: jsonSchema(schema) };
}

function describeProblems(codes: readonly ErrorCode[], schema: Json): Json {
  const texts: Record<number, string[]> = {};
  for (const code of codes) {
    const { status, title } = ERRORS[code];
    texts[status] = [...(texts[status] ?? []), `\`${code}\`: ${title}`];
  }
  const content = { 'application/problem+json': { schema } };
  return Object.fromEntries(
    Object.entries(texts).map(([status, lines]) => [status, { description: lines.join('\n\n'), content }]),
  );
}

/** As it travels: byte strings are base64url text. */
const TRAVELLING = { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' } as const;

function jsonSchema(schema: z.ZodType): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, TRAVELLING);
  return rest;
}

/** Each refers to the others by name. */
function componentSchemas(schemas: Readonly<Record<string, z.ZodType>>): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { ...TRAVELLING, uri: componentUri }).schemas;
  return Object.fromEntries(
    Object.keys(schemas).map((name) => {
      const { $schema, $id, ...rest } = made[name] as Json;
      return [name, rest];
    }),
  );
}
