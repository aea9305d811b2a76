/** What the documents say of a server's settings, made of its schema: a table in Markdown, and an example of an environment. */
import type { z } from 'zod';
import { aboutOf, isReadFromFile, type Settings } from '../boot/config.ts';

/** The Markdown table of `docs/operations/configuration.md`. */
export function configTable(schema: Settings): string {
  const rows = fieldsOf(schema).map(([key, field]) => {
    const described = aboutOf(field);
    const { about, default: fallback } = described;
    const name = `\`${key}\`${isReadFromFile(described) ? ` or \`${key}_FILE\`` : ''}`;
    // A bar would end the cell, in code too.
    const meaning = about.replaceAll('|', '\\|');
    return `| ${name} | ${isDemanded(field) ? '**required**' : fallback ? `\`${fallback}\`` : ''} | ${meaning} |`;
  });
  return ['| setting | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** `.env.example`: every setting, those that are not demanded commented out. */
export function envExample(schema: Settings): string {
  const blocks = fieldsOf(schema).map(([key, field]) => {
    const { about, default: fallback, example, secret } = aboutOf(field);
    const name = secret ? `${key}_FILE` : key;
    return `# ${about}\n${isDemanded(field) ? '' : '#'}${name}=${example ?? fallback ?? ''}\n`;
  });
  return blocks.join('\n');
}

function fieldsOf(schema: Settings): [string, z.ZodType][] {
  return Object.entries(schema.shape) as [string, z.ZodType][];
}

/** Without default, and not optional. */
function isDemanded(field: z.ZodType): boolean {
  return aboutOf(field).default === undefined && !field.safeParse(undefined).success;
}
