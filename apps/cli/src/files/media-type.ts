/** The media type that a file is sent under: by its extension, as a web server would say it. */
import mime from 'mime';

export function mediaTypeOf(name: string): string {
  return mime.getType(name) ?? 'application/octet-stream';
}
