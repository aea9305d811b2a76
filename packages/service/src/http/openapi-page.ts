/** A readable page made from an OpenAPI description: one static HTML document, no script, nothing loaded from anywhere. */
import { ERRORS } from '@sealwire/wire/errors';
import type { ApiDescription, Operation } from './openapi.ts';
import { openApiDocument, problemsOf } from './openapi.ts';

/** For the style's hash in the Content-Security-Policy. */
export const PAGE_STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
article{border-top:1px solid #ccc;padding:1rem 0}h2{font-size:1.1rem;margin:0}code,pre{font:14px/1.4 ui-monospace,monospace}
pre{background:#f4f4f4;padding:.75rem;overflow:auto}.method{display:inline-block;min-width:4.5rem;font-weight:700}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}pre{background:#222}article{border-color:#444}}`;

export function openApiPage(api: ApiDescription): string {
  const document = openApiDocument(api, '') as { components: { schemas: Record<string, unknown> } };
  const schemas = Object.entries(document.components.schemas)
    .map(
      ([name, schema]) =>
        `<article id="${name}"><h2>${name}</h2><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></article>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(api.title)}</title><style>${PAGE_STYLE}</style></head><body>
<h1>${escapeHtml(api.title)} <small>${escapeHtml(api.version)}</small></h1>
<p>${escapeHtml(api.description)}</p>
${api.operations.map((operation) => section(operation, api)).join('\n')}
<h1>Bodies</h1>
${schemas}
</body></html>
`;
}

function section(operation: Operation, api: ApiDescription): string {
  const nameOf = (schema: unknown) => Object.entries(api.schemas).find(([, known]) => known === schema)?.[0];
  const link = (schema: unknown) => {
    const name = nameOf(schema);
    return name ? `: <a href="#${name}">${name}</a>` : '';
  };
  const parameters = (operation.parameters ?? []).map(
    ({ name, in: place, description }) => `<li><code>${name}</code> (${place}): ${escapeHtml(description)}</li>`,
  );
  const answers = Object.entries(operation.answers).map(
    ([status, answer]) => `<li><code>${status}</code> ${escapeHtml(answer.description)}${link(answer.schema)}</li>`,
  );
  const problems = problemsOf(operation).map(
    (code) => `<li><code>${ERRORS[code].status} ${code}</code> ${escapeHtml(ERRORS[code].title)}</li>`,
  );
  return `<article><h2><span class="method">${operation.method.toUpperCase()}</span> <code>${escapeHtml(operation.path)}</code></h2>
<p><b>${escapeHtml(operation.summary)}.</b> ${escapeHtml(operation.description)} ${operation.caller === 'device' ? 'Needs an access token.' : ''}</p>
<ul>${[...parameters, ...(operation.body ? [`<li>body${link(operation.body)}</li>`] : []), ...answers, ...problems].join('\n')}</ul></article>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
