/** Tells the notes of a request (`../http/request-notes.ts`) by which of the framework's routes it is answered. */
import type { IncomingMessage } from 'node:http';
import { nameRoute } from '../http/request-notes.ts';

/** The part of a Fastify instance that this touches. */
interface Router {
  addHook(
    name: 'onRequest',
    hook: (request: {
      readonly raw: IncomingMessage;
      readonly routeOptions: { readonly url?: string | undefined };
    }) => Promise<void>,
  ): unknown;
}

export function nameRoutes(fastify: Router): void {
  fastify.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (routeOptions.url !== undefined) nameRoute(raw, routeOptions.url);
  });
}
