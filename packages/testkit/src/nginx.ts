/** For tests: nginx with the configuration that operators get, rendered as its image does. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../../infra/nginx/', import.meta.url));
const TEMPLATES = ['sealwire.conf', 'tls.conf'] as const;
/** With values for `FILES` and `BUCKET` only. */
const FILES_TEMPLATE = 'files.location';

/** Whether nginx is installed here. */
export const hasNginx = spawnSync('nginx', ['-v']).status === 0;

/** Values of the names in the templates. Returns the folder of nginx.conf, below `folder`. */
export function renderNginx(folder: string, values: Readonly<Record<string, string>>): string {
  const place = join(folder, 'nginx');
  mkdirSync(join(place, 'conf.d'), { recursive: true });
  copyFileSync(join(source, 'nginx.conf'), join(place, 'nginx.conf'));
  for (const name of [...TEMPLATES, ...(values.FILES ? [FILES_TEMPLATE] : [])]) {
    const template = readFileSync(join(source, `${name}.template`), 'utf8');
    const text = template.replace(/\$\{([A-Z_]+)\}/g, (all, key: string) => values[key] ?? all);
    writeFileSync(join(place, 'conf.d', name), text);
  }
  return place;
}

/** Starts it on what `renderNginx` made of `values`; resolves when it listens, with what ends it. */
export async function startNginx(
  folder: string,
  values: Readonly<Record<string, string>>,
): Promise<() => Promise<unknown>> {
  const place = renderNginx(folder, values);
  const watched = watch(place);
  const child = spawn('nginx', ['-c', join(place, 'nginx.conf'), '-p', place, '-e', 'stderr'], { stdio: 'ignore' });
  // It is written when nginx listens.
  for await (const { filename } of watched) if (filename === 'nginx.pid') break;
  return () => {
    const ended = once(child, 'close');
    return child.kill('SIGQUIT') ? ended : Promise.resolve();
  };
}
