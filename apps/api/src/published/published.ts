/** The texts of `published.controller.ts`, made once at start. */

import { openApiDocument } from '@sealwire/service/openapi';
import { openApiPage } from '@sealwire/service/openapi-page';
import { basePathOf } from '@sealwire/service/public-origin';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { WellKnown } from '@sealwire/wire/http';
import { loginOrigins } from '../login/login-origins.ts';
import type { ApiSettings } from '../settings.ts';
import { apiDescription } from './description.ts';
import type { Published } from './published.controller.ts';

export function publish(settings: ApiSettings, version: string, jwks: object, directoryKey?: Uint8Array): Published {
  const api = apiDescription(version);
  const base = basePathOf(settings.PUBLIC_ORIGIN);
  return {
    wellKnown: JSON.stringify(
      WellKnown.parse({
        domain: settings.DOMAIN,
        api: `${base}/v1`,
        lime: `${base}/lime`,
        directory: `${base}/directory`,
        relay: `${base}/relay`,
        gate: settings.GATE,
        version,
        origins: loginOrigins(settings),
        ...(directoryKey && { directoryKey: encodeBase64url(directoryKey) }),
      }),
    ),
    jwks: JSON.stringify(jwks),
    openApi: openApiText(version, base),
    page: openApiPage(api),
  };
}

/** As committed in `openapi.json`, without a base path. */
export function openApiText(version: string, basePath = ''): string {
  return `${JSON.stringify(openApiDocument(apiDescription(version), basePath), null, 2)}\n`;
}
