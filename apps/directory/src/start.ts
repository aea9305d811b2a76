/** The key directory as a door: built from its dependencies, listening nowhere. */
import 'reflect-metadata';
import helmet from '@fastify/helmet';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createAnnouncer } from '@sealwire/service/announce';
import { createAppPasswordCheck } from '@sealwire/service/app-password-check';
import { appPasswordKey, createAppPasswordVault } from '@sealwire/service/app-password-vault';
import { clientAddress, limiterKey, trustedProxies } from '@sealwire/service/client-address';
import { createGuessLimits } from '@sealwire/service/guess-limits';
import type { HttpDoor } from '@sealwire/service/http-door';
import { acceptStrictJsonOnly, FASTIFY_OPTIONS, NEST_OPTIONS, schemaPipe } from '@sealwire/service/nest-hardening';
import { refuseOtherMethods } from '@sealwire/service/nest-methods';
import { ProblemFilter } from '@sealwire/service/nest-problem-filter';
import { basePathOf } from '@sealwire/service/public-origin';
import type { DirectoryDeps } from './deps.ts';
import { openApiText } from './description.ts';
import { authenticateBy } from './lime/authenticate.ts';
import { type DigestScheme, digestScheme } from './lime/authenticate-digest.ts';
import { createBundleBudget } from './lime/bundle-budget.ts';
import { createNonceBook } from './lime/digest-nonce.ts';
import { createLimeEndpoint } from './lime/lime-endpoint.ts';
import { LimeService } from './lime/lime-service.ts';
import { storeRoster } from './lime/roster.ts';
import { createManifestLimiters } from './manifests/manifest-limiters.ts';
import { ManifestService } from './manifests/manifest-service.ts';
import { ManifestsController } from './manifests/manifests.controller.ts';
import { OpenApiController } from './openapi.controller.ts';
import { MANIFEST_LIMITERS, MANIFESTS, OPENAPI } from './ports.ts';

export type { DirectoryDeps } from './deps.ts';

/** Builds the server and resolves when it can answer. Its paths: `/lime`, `/directory/…`. */
export async function startDirectory(deps: DirectoryDeps): Promise<HttpDoor> {
  const { store, crypto, now, metrics, log, settings } = deps;
  const roster = deps.roster ?? storeRoster(store);
  const authenticate =
    deps.authenticate ?? authenticateBy({ tokens: deps.tokens, store, digest: digestOf(deps), open: false });
  const budget = createBundleBudget(settings, { now, metrics });
  const service = new LimeService({ store, crypto, metrics, roster, budget });
  const lime = createLimeEndpoint({ service, authenticate, log, metrics });

  const adapter = new FastifyAdapter(FASTIFY_OPTIONS);
  const app = await NestFactory.create<NestFastifyApplication>(directoryModule(deps), adapter, NEST_OPTIONS);
  const fastify = adapter.getInstance();
  acceptStrictJsonOnly(fastify);
  const routesAreThere = refuseOtherMethods(fastify);
  await app.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } } });
  fastify.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  app.useGlobalPipes(schemaPipe());
  app.useGlobalFilters(new ProblemFilter(log, metrics));
  await app.init();
  routesAreThere();
  await fastify.ready();
  return {
    handle(request, response) {
      if (isLime(request.url)) lime(request, response);
      else fastify.routing(request, response);
    },
    ready: () => store.probe(),
    close: () => app.close(),
  };
}

/** Undefined without a key: no app passwords, no Digest. */
function digestOf(deps: DirectoryDeps): DigestScheme | undefined {
  const { store, crypto, random, now, metrics, settings, appPasswordKey: key } = deps;
  if (!key) return undefined;
  const { DOMAIN: domain, DIGEST_REALM: realm = domain, DIGEST_MD5 } = settings;
  const vault = createAppPasswordVault({ crypto, random, key, domain, realm, md5: DIGEST_MD5 === 'on' });
  const budgets = {
    perAddress: settings.WRONG_PASSWORDS_PER_ADDRESS,
    perAccount: settings.WRONG_PASSWORDS_PER_ACCOUNT,
  };
  const guesses = createGuessLimits(budgets, { now, metrics });
  const check = createAppPasswordCheck({ vault, passwords: store.appPasswords, guesses, random, now });
  const nonceKey = appPasswordKey(crypto, key, 'nonce');
  const nonces = createNonceBook({ crypto, random, now, key: nonceKey, realm, once: store.once });
  const proxies = trustedProxies(settings.TRUSTED_PROXIES);
  const basePath = basePathOf(settings.PUBLIC_ORIGIN);
  return digestScheme({
    crypto,
    vault,
    check,
    nonces,
    keyOf: (request) => limiterKey(clientAddress(request, proxies)),
    targetOf: ({ url }) => `${basePath}${url}`,
  });
}

function isLime(url: string | undefined): boolean {
  return url !== undefined && (url === '/lime' || url === '/lime/' || url.startsWith('/lime?'));
}

function directoryModule({ store, bus, crypto, now, log, metrics, settings, version }: DirectoryDeps): Type {
  const announcer = createAnnouncer(bus, log);
  const limiters = createManifestLimiters(settings, { now, metrics });
  const manifests = new ManifestService({ store, crypto, announcer, now, domain: settings.DOMAIN, limiters });

  @Module({
    controllers: [ManifestsController, OpenApiController],
    providers: [
      { provide: MANIFESTS, useValue: manifests },
      { provide: MANIFEST_LIMITERS, useValue: limiters },
      { provide: OPENAPI, useValue: openApiText(version) },
    ],
  })
  class DirectoryModule {}
  return DirectoryModule;
}
