/** What anybody may read and nobody computes per request: discovery, token keys, the description of this API. */
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { PUBLISHED } from '../ports.ts';

/** Ready texts, made at start. */
export interface Published {
  readonly wellKnown: string;
  readonly jwks: string;
  readonly openApi: string;
  readonly page: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

@Controller()
export class PublishedController {
  constructor(@Inject(PUBLISHED) private readonly published: Published) {}

  @Get('.well-known/sealwire')
  @Header('content-type', JSON_TYPE)
  wellKnown(): string {
    return this.published.wellKnown;
  }

  @Get('v1/.well-known/jwks.json')
  @Header('content-type', JSON_TYPE)
  jwks(): string {
    return this.published.jwks;
  }

  @Get('openapi.json')
  @Header('content-type', JSON_TYPE)
  openApi(): string {
    return this.published.openApi;
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return this.published.page;
  }
}
