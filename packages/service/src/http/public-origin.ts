/** Where clients reach the servers: an origin, with a path where one host serves more than this (`https://host/chat`). */

/** Scheme, host and port alone: what tokens are issued by and logins are bound to. */
export function originOf(publicOrigin: string): string {
  return new URL(publicOrigin).origin;
}

/** The path of a public origin: `/chat`, or nothing. */
export function basePathOf(publicOrigin: string): string {
  const { pathname } = new URL(publicOrigin);
  return pathname === '/' ? '' : pathname;
}

/** A request target without the base path; undefined: it is not under it. */
export function withoutBasePath(target: string, basePath: string): string | undefined {
  if (basePath === '') return target;
  if (!target.startsWith(basePath)) return undefined;
  const rest = target.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : undefined;
}
