/** 405 with `Allow` where the path is known and the method is not; the framework would say 404 (RFC 9110 section 15.5.6). */
import { Problem } from '../http/problem.ts';

/** The part of a Fastify instance that this touches. */
interface Router {
  readonly supportedMethods: readonly string[];
  addHook(name: 'onRoute', hook: (route: { method: string | string[]; url: string }) => void): unknown;
  route(route: {
    method: string[];
    url: string;
    onRequest(request: unknown, reply: Reply, done: () => void): void;
    handler(): void;
  }): unknown;
}

interface Reply {
  code(status: number): Reply;
  headers(headers: Record<string, string>): Reply;
  send(body: string): unknown;
}

/** Call it before there are routes, and what it returns once they are all there. */
export function refuseOtherMethods(fastify: Router): () => void {
  const known = new Map<string, Set<string>>();
  fastify.addHook('onRoute', ({ method, url }) => {
    const methods = known.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    known.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...known]) {
      const method = fastify.supportedMethods.filter((other) => !methods.has(other));
      const problem = new Problem('method-not-allowed', { headers: { allow: [...methods].sort().join(', ') } });
      fastify.route({
        method,
        url,
        // Before the body is read: whatever it is, the method is what is wrong.
        onRequest: (_request, reply) => void reply.code(problem.status).headers(problem.headers()).send(problem.body()),
        handler() {},
      });
    }
  };
}
