/** The key directory as a door: built from its dependencies, listening nowhere. */
import { admittedDevices } from '@sealwire/store/operator';
import 'reflect-metadata';
import helmet from '@fastify/helmet';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { bearerAuthenticator } from '@sealwire/access/bearer';
import { type Announcer, createAnnouncer } from '@sealwire/service/announce';
import type { HttpDoor } from '@sealwire/service/http-door';
import { acceptStrictJsonOnly, fastifyOptions, NEST_OPTIONS, schemaPipe } from '@sealwire/service/nest-hardening';
import { refuseOtherMethods } from '@sealwire/service/nest-methods';
import { ProblemFilter } from '@sealwire/service/nest-problem-filter';
import { nameRoutes } from '@sealwire/service/nest-route-names';
import { basePathOf } from '@sealwire/service/public-origin';
import { ANSWER_SIGNATURE_HEADER } from '@sealwire/wire/answer-signature';
import { LIMITS } from '@sealwire/wire/limits';
import { AccountCertificates } from './certificates/account-certificates.ts';
import type { DirectoryDeps } from './deps.ts';
import { openApiText } from './description.ts';
import { PeerKey, PeerKeyController } from './foreign/peer-key.controller.ts';
import { type Peering, peeringOf } from './foreign/peering.ts';
import { KeysController } from './keys/keys.controller.ts';
import { KeysService } from './keys/keys-service.ts';
import { authenticationOf } from './lime/authentication.ts';
import { type BundleBudget, createBundleBudget } from './lime/bundle-budget.ts';
import { Bundles } from './lime/bundles.ts';
import { accountDevice, anyDevice } from './lime/device-names.ts';
import { KeyDoor } from './lime/key-door.ts';
import { createLimeEndpoint } from './lime/lime-endpoint.ts';
import { LimeService } from './lime/lime-service.ts';
import { createManifestLimiters } from './manifests/manifest-limiters.ts';
import { ManifestService } from './manifests/manifest-service.ts';
import { ManifestsController } from './manifests/manifests.controller.ts';
import { createNesEndpoint } from './nes/nes-endpoint.ts';
import { createNesLimiters } from './nes/nes-limiters.ts';
import { ProviderService } from './nes/provider-service.ts';
import { announceOpenMode, platformRepeat } from './open-mode.ts';
import { OpenApiController } from './openapi.controller.ts';
import { AUTHENTICATE, FOREIGN_MANIFESTS, KEYS, MANIFEST_LIMITERS, MANIFESTS, OPENAPI, PEER_KEY } from './ports.ts';
import { answerSigner, kindOf, subjectOf } from './signing/answer-signer.ts';

export type { DirectoryDeps } from './deps.ts';
export { openNesProvider } from './nes/open-provider.ts';

/** Builds the server and resolves when it can answer. Its paths: `/lime`, `LIME_PATH`, `/directory/…`, and `/users` if there is `deps.nes`. */
export async function startDirectory(deps: DirectoryDeps): Promise<HttpDoor> {
  const { store, crypto, now, metrics, log, settings, counters } = deps;
  const quiet = announceOpenMode(settings, log, deps.repeat ?? platformRepeat);
  const authenticate = deps.authenticate ?? authenticationOf(deps);
  const budget = createBundleBudget(settings, { now, metrics, counters });
  const limits = { oneTimePrekeys: settings.PREKEYS_PER_DEVICE, devices: LIMITS.bundlesPerRequest.value };
  const peering = peeringOf(deps);
  const door = new KeyDoor({
    store,
    crypto,
    budget,
    now,
    prekeysPerDevice: settings.PREKEYS_PER_DEVICE,
    devicesPerAccount: settings.DEVICES_PER_ACCOUNT,
  });
  const deviceNamed = settings.OPEN_MODE === 'on' ? anyDevice(crypto) : accountDevice;
  const { DOMAIN: domain } = settings;
  const bundles = new Bundles({ store, metrics, budget, now, deviceNamed, domain, foreign: peering.foreign });
  const service = new LimeService({ store, door, bundles, metrics });
  const answering = { service, deviceNamed, log, metrics, limits };
  const sign = answerSigner(crypto, deps.signingKey, now);
  const lime = createLimeEndpoint({ ...answering, route: '/lime', authenticate, sign });
  const forPeers = createLimeEndpoint({ ...answering, route: '/directory/lime', authenticate: peering.authenticate });

  const nes = nesEndpoint(deps);

  const announcer = createAnnouncer(deps);
  const adapter = new FastifyAdapter(fastifyOptions(deps));
  const app = await NestFactory.create<NestFastifyApplication>(
    directoryModule(deps, announcer, budget, peering),
    adapter,
    NEST_OPTIONS,
  );
  const fastify = adapter.getInstance();
  acceptStrictJsonOnly(fastify);
  const routesAreThere = refuseOtherMethods(fastify);
  nameRoutes(fastify);
  await app.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } } });
  fastify.addHook('onSend', async (request, reply, payload) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    const kind = kindOf(request, reply);
    const subject = kind && subjectOf(request.method, request.url);
    if (sign && kind && subject !== undefined && typeof payload === 'string') {
      const answer = new TextEncoder().encode(payload);
      reply.header(ANSWER_SIGNATURE_HEADER, sign({ subject, request: new Uint8Array(0), answer, kind }));
    }
    return payload;
  });
  app.useGlobalPipes(schemaPipe());
  app.useGlobalFilters(new ProblemFilter(deps));
  await app.init();
  routesAreThere();
  await fastify.ready();
  return {
    handle(request, response) {
      if (isPath(request.url, '/lime') || isPath(request.url, settings.LIME_PATH)) lime(request, response);
      else if (isPath(request.url, '/directory/lime')) forPeers(request, response);
      else if (nes && isUnder(request.url, '/users')) nes(request, response);
      else fastify.routing(request, response);
    },
    notes: settings.OPEN_MODE === 'on' ? { openMode: true } : undefined,
    // In open mode nobody needs a token, and there may be no API.
    async ready() {
      await Promise.all([store.probe(), settings.OPEN_MODE === 'on' || deps.tokens.ready()]);
    },
    close() {
      quiet();
      announcer.stop();
      return app.close();
    },
  };
}

function isPath(url: string | undefined, path: string): boolean {
  if (url === undefined) return false;
  return url === path || url.startsWith(`${path}?`) || (path !== '/' && url === `${path}/`);
}

function isUnder(url: string | undefined, path: string): boolean {
  if (!url?.startsWith(path)) return false;
  return /^[/?]|^$/.test(url.slice(path.length));
}

/** Undefined: the provider is off. */
function nesEndpoint(deps: DirectoryDeps) {
  const { nes: provider, log, metrics, settings } = deps;
  if (!provider) return undefined;
  const service = new ProviderService({ ...deps, provider, origin: settings.PUBLIC_ORIGIN });
  return createNesEndpoint({ service, limiters: createNesLimiters(settings, deps), log, metrics });
}

function directoryModule(deps: DirectoryDeps, announcer: Announcer, budget: BundleBudget, peering: Peering): Type {
  const { store, crypto, now, metrics, settings, tokens, version, counters } = deps;
  const limiters = createManifestLimiters(settings, { now, metrics, counters });
  const { DOMAIN: domain, DEVICES_PER_ACCOUNT: devicesPerAccount } = settings;
  const certificates = new AccountCertificates({ path: settings.ACCOUNT_CERTS_FILE, now, log: deps.log });
  const shared = { store, crypto, announcer, now, domain, limiters, devicesPerAccount };
  const manifests = new ManifestService({ ...shared, certificates });
  const authenticate = bearerAuthenticator({
    verifier: tokens,
    audience: 'directory',
    findDevice: admittedDevices(store).find,
  });

  @Module({
    controllers: [ManifestsController, KeysController, PeerKeyController, OpenApiController],
    providers: [
      { provide: MANIFESTS, useValue: manifests },
      { provide: FOREIGN_MANIFESTS, useValue: peering.manifests },
      { provide: MANIFEST_LIMITERS, useValue: limiters },
      { provide: AUTHENTICATE, useValue: authenticate },
      { provide: KEYS, useValue: new KeysService({ store, crypto, metrics, budget }) },
      { provide: PEER_KEY, useValue: new PeerKey(domain, peering.publicKey) },
      { provide: OPENAPI, useValue: openApiText(version, basePathOf(settings.PUBLIC_ORIGIN)) },
    ],
  })
  class DirectoryModule {}
  return DirectoryModule;
}
