/** The description of this server. */
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { OPENAPI } from './ports.ts';

@Controller('directory')
export class OpenApiController {
  constructor(@Inject(OPENAPI) private readonly document: string) {}

  @Get('openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  openApi(): string {
    return this.document;
  }
}
