/** While maintenance lasts (docs/adr/0063-administration.md) nobody new comes in: what makes accounts, devices and tokens waits. */
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Problem } from '@sealwire/service/problem';
import { readMaintenance } from '@sealwire/store/operator';
import type { Store } from '@sealwire/store/port';

/** Templates of routes. A token that is renewed is a login. */
const CLOSED: ReadonlySet<string> = new Set([
  '/v1/accounts',
  '/v1/activations',
  '/v1/resets',
  '/v1/links',
  '/v1/login/challenge',
  '/v1/login/token',
  '/v1/login/app-password',
]);

interface Request {
  readonly method: string;
  readonly routeOptions?: { readonly url?: string };
}

export class MaintenanceGuard implements CanActivate {
  constructor(private readonly store: Pick<Store, 'operatorRecords'>) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { method, routeOptions } = context.switchToHttp().getRequest<Request>();
    if (method !== 'POST' || !CLOSED.has(routeOptions?.url ?? '')) return true;
    const mode = await readMaintenance(this.store);
    if (!mode) return true;
    throw new Problem('unavailable', {
      detail: 'maintenance: new logins and accounts wait',
      retryAfterSeconds: mode.retryAfterSeconds,
    });
  }
}
