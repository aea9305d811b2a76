import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { type ApiDescription, openApiDocument } from './openapi.ts';
import { openApiPage } from './openapi-page.ts';

describe('OpenAPI', () => {
  const Body = z.strictObject({ name: z.string().max(9) });
  const api: ApiDescription = {
    title: 'Test <API>',
    version: '1',
    description: '"quoted" & so on',
    schemas: { Body },
    operations: [
      {
        id: 'put',
        method: 'put',
        path: '/things/{id}',
        summary: 'Put a thing',
        description: '',
        caller: 'device',
        parameters: [{ name: 'id', in: 'path', type: 'string', description: 'which' }],
        body: Body,
        answers: { 200: { description: 'done', schema: Body }, 204: { description: 'nothing new' } },
        problems: ['conflict', 'name-taken', 'unauthorized'],
      },
    ],
  };

  it('comes from the schemas, refers to them by name, and groups problems by status', () => {
    const document = openApiDocument(api) as {
      paths: Record<string, { put: { responses: object } }>;
      components: { schemas: Record<string, unknown> };
    };
    const operation = document.paths['/things/{id}']!.put;
    expect(operation).toMatchObject({
      security: [{ device: [] }],
      requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Body' } } } },
      parameters: [{ name: 'id', in: 'path', required: true }],
    });
    expect(Object.keys(operation.responses)).toEqual(['200', '204', '401', '409']);
    expect(document.components.schemas.Body).toEqual({
      type: 'object',
      properties: { name: { type: 'string', maxLength: 9 } },
      required: ['name'],
      additionalProperties: false,
    });
  });

  it('the page escapes what it is given', () => {
    const page = openApiPage(api);
    expect(page).toContain('<h1>Test &lt;API&gt;');
    expect(page).toContain('&quot;quoted&quot; &amp; so on');
    expect(page).not.toContain('<API>');
  });
});
