/** For tests: nginx's configuration as operators get it, rendered as its image does. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../../infra/nginx/', import.meta.url));
const TEMPLATES = ['sealwire.conf', 'tls.conf'] as const;

/** Values of the names in the templates. Returns the folder of nginx.conf, below `folder`. */
export function renderNginx(folder: string, values: Readonly<Record<string, string>>): string {
  const place = join(folder, 'nginx');
  mkdirSync(join(place, 'conf.d'), { recursive: true });
  copyFileSync(join(source, 'nginx.conf'), join(place, 'nginx.conf'));
  for (const name of TEMPLATES) {
    const template = readFileSync(join(source, `${name}.template`), 'utf8');
    const text = template.replace(/\$\{([A-Z_]+)\}/g, (all, key: string) => values[key] ?? all);
    writeFileSync(join(place, 'conf.d', name), text);
  }
  return place;
}
