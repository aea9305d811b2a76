/** Which door a request is for, by its path. */
import type { HttpDoor, SocketDoor } from './http-door.ts';

export interface Route {
  /** `/v1` takes `/v1` and `/v1/…`; `/` takes everything. */
  readonly prefix: string;
  /** That path alone, and before every prefix. */
  readonly exactly?: boolean;
  readonly door: HttpDoor | SocketDoor;
  /** For how long a body may come; not said: ten seconds. A door may be behind several routes. */
  readonly requestMs?: number;
}

export function pathOf(url = '/'): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

export function routeFor(routes: readonly Route[], path: string): Route | undefined {
  const isUnder = ({ prefix, exactly }: Route) =>
    !exactly && (prefix === '/' || path === prefix || path.startsWith(`${prefix}/`));
  return routes.find(({ prefix, exactly }) => exactly && path === prefix) ?? routes.find(isUnder);
}
