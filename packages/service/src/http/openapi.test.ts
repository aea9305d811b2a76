import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { type ApiDescription, openApiDocument } from './openapi.ts';
import { openApiPage } from './openapi-page.ts';

describe('OpenAPI', () => {
  const Body = z.strictObject({ name: z.string().max(9) });
  const List = z.object({ all: z.array(Body) });
  const api: ApiDescription = {
    title: 'Test <API>',
    version: '1',
    description: '"quoted" & so on',
    schemas: { Body, List },
    operations: [
      {
        id: 'put',
        method: 'put',
        path: '/things/{id}',
        summary: 'Put a thing',
        description: '',
        caller: 'device',
        parameters: [
          { name: 'id', in: 'path', schema: z.string(), description: 'which' },
          { name: 'after', in: 'query', schema: z.int().min(0).max(9), description: 'from where' },
        ],
        body: Body,
        answers: {
          200: { description: 'done', schema: Body },
          202: { description: 'a page', schema: z.string(), contentType: 'text/html' },
          204: { description: 'nothing new' },
        },
        problems: ['conflict', 'name-taken', 'unauthorized'],
      },
    ],
  };

  it('comes from the schemas, refers to them by name, and groups problems by status', () => {
    const document = openApiDocument(api, '/chat') as {
      servers: unknown;
      info: { license: unknown };
      paths: Record<string, { put: { responses: object } }>;
      components: { schemas: Record<string, unknown> };
    };
    const operation = document.paths['/things/{id}']!.put;
    expect(operation).toMatchObject({
      security: [{ device: [] }],
      requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Body' } } } },
      parameters: [
        { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
        { name: 'after', in: 'query', required: false, schema: { type: 'integer', minimum: 0, maximum: 9 } },
      ],
      responses: { 202: { content: { 'text/html': { schema: { type: 'string' } } } } },
    });
    expect(document.info.license).toEqual({ name: 'Apache-2.0', identifier: 'Apache-2.0' });
    expect(document.components.schemas.List).toMatchObject({
      properties: { all: { items: { $ref: '#/components/schemas/Body' } } },
    });
    expect(document.components.schemas.Body).toEqual({
      type: 'object',
      properties: { name: { type: 'string', maxLength: 9 } },
      required: ['name'],
      additionalProperties: false,
    });
  });

  it('says which problems any operation may answer, and where the server is', () => {
    const document = openApiDocument(api, '/chat') as {
      servers: unknown;
      paths: Record<string, { put: { responses: object } }>;
    };
    expect(Object.keys(document.paths['/things/{id}']!.put.responses)).toEqual([
      '200',
      '202',
      '204',
      '400',
      '401',
      '409',
      '413',
      '415',
    ]);
    expect(document.servers).toEqual([{ url: '/chat', description: expect.any(String) }]);
    expect(openApiDocument(api, '')).toMatchObject({ servers: [{ url: '/' }] });
  });

  it('the page escapes what it is given', () => {
    const page = openApiPage(api);
    expect(page).toContain('<h1>Test &lt;API&gt;');
    expect(page).toContain('&quot;quoted&quot; &amp; so on');
    expect(page).not.toContain('<API>');
  });
});
