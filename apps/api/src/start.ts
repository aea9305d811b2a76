/** The API server as a door: built from its dependencies, listening nowhere. */
import 'reflect-metadata';
import helmet from '@fastify/helmet';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createAppPasswordCheck } from '@sealwire/access/app-password-check';
import { type AppPasswordVault, createAppPasswordVault } from '@sealwire/access/app-password-vault';
import { bearerAuthenticator } from '@sealwire/access/bearer';
import { createGuessLimits } from '@sealwire/access/guess-limits';
import { createTokens, type TokenSigner } from '@sealwire/access/tokens';
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Mailer } from '@sealwire/mail/port';
import { type Announcer, createAnnouncer } from '@sealwire/service/announce';
import type { HttpDoor } from '@sealwire/service/http-door';
import { openServerMailer } from '@sealwire/service/mail';
import { acceptStrictJsonOnly, fastifyOptions, NEST_OPTIONS, schemaPipe } from '@sealwire/service/nest-hardening';
import { refuseOtherMethods } from '@sealwire/service/nest-methods';
import { ProblemFilter } from '@sealwire/service/nest-problem-filter';
import { nameRoutes } from '@sealwire/service/nest-route-names';
import { PAGE_STYLE } from '@sealwire/service/openapi-page';
import { basePathOf, originOf } from '@sealwire/service/public-origin';
import { admittedDevices, admittedPasswords } from '@sealwire/store/operator';
import { LIMITS } from '@sealwire/wire/limits';
import { AccountService } from './accounts/account-service.ts';
import { AccountsController } from './accounts/accounts.controller.ts';
import { ActivationService } from './activations/activation-service.ts';
import { ActivationsController } from './activations/activations.controller.ts';
import { adminCommands } from './admin/door.ts';
import { MaintenanceGuard } from './admin/maintenance-guard.ts';
import { AppPasswordService } from './app-passwords/app-password-service.ts';
import { AppPasswordsController } from './app-passwords/app-passwords.controller.ts';
import { AttachmentService } from './attachments/attachment-service.ts';
import { AttachmentsController } from './attachments/attachments.controller.ts';
import { createFilesDoor } from './attachments/files-door.ts';
import { createSignedPaths, FILES_PREFIX, fileUrlKey, type SignedPaths } from './attachments/signed-paths.ts';
import { AttachmentSweeper, SWEEP_EVERY_MS } from './attachments/sweeper.ts';
import { BlocksController } from './blocks/blocks.controller.ts';
import { DeviceGuard } from './caller.ts';
import { ContactService } from './contacts/contact-service.ts';
import { ContactsController } from './contacts/contacts.controller.ts';
import type { ApiDeps } from './deps.ts';
import { DeviceService } from './devices/device-service.ts';
import { DevicesController } from './devices/devices.controller.ts';
import { createApiLimiters } from './limiters.ts';
import { LinkChannels } from './links/link-channels.ts';
import { LinksController } from './links/links.controller.ts';
import { AppPasswordLogin } from './login/app-password-login.ts';
import { LoginController } from './login/login.controller.ts';
import { challengeKey, createChallengeBook } from './login/login-challenge.ts';
import { loginOrigins } from './login/login-origins.ts';
import { LoginService } from './login/login-service.ts';
import {
  ACCOUNTS,
  ACTIVATIONS,
  APP_PASSWORD_LOGIN,
  APP_PASSWORDS,
  ATTACHMENTS,
  AUTHENTICATE,
  CONTACTS,
  DEVICES,
  LIMITERS,
  LINKS,
  LOGINS,
  PUBLISHED,
  RESETS,
} from './ports.ts';
import { PublishedController } from './published/published.controller.ts';
import { publish } from './published/published.ts';
import { ResetService } from './resets/reset-service.ts';
import { ResetsController } from './resets/resets.controller.ts';
import type { ApiSettings } from './settings.ts';

export type { ApiDeps } from './deps.ts';

/** Of its paths, one whose bodies may come for longer than those of others: how long is judged by whether they move. */
export const SLOW_ROUTES = [{ prefix: FILES_PREFIX, requestMs: LIMITS.uploadLifeMs.value }] as const;

/** Builds the server and resolves when it can answer. Its paths: `/v1/…`, `/.well-known/sealwire`, `/openapi.json`, `/docs`. */
export async function startApi(deps: ApiDeps): Promise<HttpDoor> {
  const announcer = createAnnouncer(deps);
  const adapter = new FastifyAdapter(fastifyOptions(deps));
  const paths = createSignedPaths({
    crypto: deps.crypto,
    key: fileUrlKey(deps.crypto, deps.tokenKey),
    now: deps.now,
    basePath: basePathOf(deps.settings.PUBLIC_ORIGIN),
  });
  const files = createFilesDoor({ ...deps, paths });
  const sweeping = startSweeping(deps);
  const links = new LinkChannels(deps);
  await links.listen();
  const module = apiModule(deps, announcer, paths, links);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, NEST_OPTIONS);
  const fastify = adapter.getInstance();
  acceptStrictJsonOnly(fastify);
  const routesAreThere = refuseOtherMethods(fastify);
  nameRoutes(fastify);
  await app.register(helmet, { contentSecurityPolicy: pagePolicy(deps.crypto) });
  fastify.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  app.useGlobalPipes(schemaPipe());
  app.useGlobalFilters(new ProblemFilter(deps));
  app.useGlobalGuards(new MaintenanceGuard(deps.store));
  await app.init();
  routesAreThere();
  await fastify.ready();
  return {
    handle: (request, response) =>
      request.url?.startsWith(`${FILES_PREFIX}/`) ? files(request, response) : fastify.routing(request, response),
    admin: adminCommands({ ...deps, announcer, domain: deps.settings.DOMAIN }),
    ready: () => deps.store.probe(),
    async close() {
      announcer.stop();
      await links.stop();
      await sweeping?.stop();
      await app.close();
    },
  };
}

/** Answers are data, but for `/docs`: it may use its own style, and run or load nothing. */
function pagePolicy(crypto: CryptoProvider) {
  const style = Buffer.from(crypto.sha256(new TextEncoder().encode(PAGE_STYLE))).toString('base64');
  const none = ["'none'"];
  return {
    useDefaults: false,
    directives: {
      defaultSrc: none,
      styleSrc: [`'sha256-${style}'`],
      frameAncestors: none,
      baseUri: none,
      formAction: none,
    },
  };
}

/** Undefined: there is nothing to sweep. */
function startSweeping(deps: ApiDeps): { stop(): Promise<void> } | undefined {
  const { blobs } = deps;
  if (!blobs) return undefined;
  const sweeper = new AttachmentSweeper({ ...deps, blobs });
  let sweep = Promise.resolve();
  const turns = setInterval(() => {
    sweep = sweep.then(() => sweeper.sweep());
  }, SWEEP_EVERY_MS);
  return {
    stop() {
      clearInterval(turns);
      return sweep;
    },
  };
}

function apiModule(deps: ApiDeps, announcer: Announcer, paths: SignedPaths, links: LinkChannels): Type {
  const { store, crypto, random, now, log, metrics, settings, tokenKey, counters } = deps;
  const issuer = originOf(settings.PUBLIC_ORIGIN);
  const { signer, verifier } = deps.tokens ?? createTokens({ seed: tokenKey, issuer, now });
  const challenges = createChallengeBook({ crypto, random, now, key: challengeKey(crypto, tokenKey) });
  const accounts = new AccountService({ ...deps, announcer, domain: settings.DOMAIN, gate: settings.GATE });

  const origin = settings.PUBLIC_ORIGIN;
  const activations = new ActivationService({ ...deps, origin, domains: settings.MAIL_DOMAINS });
  const vault = vaultOf(deps);

  @Module({
    controllers: [
      AccountsController,
      ActivationsController,
      LoginController,
      DevicesController,
      AppPasswordsController,
      AttachmentsController,
      ContactsController,
      BlocksController,
      LinksController,
      ResetsController,
      PublishedController,
    ],
    providers: [
      DeviceGuard,
      { provide: ACCOUNTS, useValue: accounts },
      { provide: ACTIVATIONS, useValue: activations },
      {
        provide: RESETS,
        useValue: new ResetService({ store, crypto, announcer, now, log, domain: settings.DOMAIN }),
      },
      {
        provide: LOGINS,
        useValue: new LoginService({ store, crypto, random, challenges, signer, now, origins: loginOrigins(settings) }),
      },
      { provide: DEVICES, useValue: new DeviceService({ store, announcer, now }) },
      { provide: APP_PASSWORDS, useValue: new AppPasswordService({ store, random, now, vault }) },
      {
        provide: ATTACHMENTS,
        useValue: new AttachmentService({ ...deps, blobs: deps.blobs, paths }),
      },
      { provide: CONTACTS, useValue: new ContactService({ store, announcer }) },
      { provide: LINKS, useValue: links },
      // Nest takes no undefined for a value.
      { provide: APP_PASSWORD_LOGIN, useValue: vault ? appPasswordLogin(deps, vault, signer) : null },
      { provide: LIMITERS, useValue: createApiLimiters(settings, log, { now, metrics, counters }) },
      { provide: PUBLISHED, useValue: publish(settings, deps.version, signer.jwks(), deps.directoryKey) },
      {
        provide: AUTHENTICATE,
        useValue: bearerAuthenticator({ verifier, audience: 'api', findDevice: admittedDevices(store).find }),
      },
    ],
  })
  class ApiModule {}
  return ApiModule;
}

/** For the gate `email`, else undefined. `folder`: for mails where nothing else is said. Rejects with `ConfigError`. */
export async function openGateMailer(
  settings: Pick<ApiSettings, 'GATE' | 'DOMAIN'> & Partial<Pick<ApiSettings, 'MAIL_URL' | 'MAIL_FROM'>>,
  deps: Pick<ApiDeps, 'log' | 'metrics' | 'now' | 'random'>,
  folder?: string,
): Promise<Mailer | undefined> {
  if (settings.GATE !== 'email') return undefined;
  return openServerMailer(settings, { neededBy: 'the gate `email`', folder, ...deps });
}

function vaultOf({ crypto, random, settings, appPasswordKey: key }: ApiDeps): AppPasswordVault | undefined {
  const { DOMAIN: domain, DIGEST_REALM: realm = domain, DIGEST_MD5 } = settings;
  return key && createAppPasswordVault({ crypto, random, key, domain, realm, md5: DIGEST_MD5 === 'on' });
}

function appPasswordLogin(deps: ApiDeps, vault: AppPasswordVault, signer: TokenSigner): AppPasswordLogin {
  const { store, crypto, random, now, metrics, settings, counters } = deps;
  const budgets = {
    perAddress: settings.WRONG_PASSWORDS_PER_ADDRESS,
    perAccount: settings.WRONG_PASSWORDS_PER_ACCOUNT,
  };
  const guesses = createGuessLimits(budgets, { now, metrics, counters });
  const check = createAppPasswordCheck({ vault, passwords: admittedPasswords(store), guesses, random, now });
  return new AppPasswordLogin({ store, crypto, signer, check, realm: vault.realm });
}
