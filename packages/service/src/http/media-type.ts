/** What a `Content-Type` says (RFC 9110 section 8.3.1): a type that is compared without case, and parameters after it. */

/** Whether the header names `type`, whatever its parameters. `type` is in small letters. */
export function isOfType(contentType: string | undefined, type: string): boolean {
  const [named] = contentType?.split(';', 1) ?? [];
  return named?.trim().toLowerCase() === type;
}

/**
 * Whether no parameter names another encoding than UTF-8. RFC 8259 section 8.1 knows no other for JSON, and no parameter to name one: a
 * `charset` that is there all the same must not promise a reader before us something else.
 */
export function isUtf8(contentType: string): boolean {
  return !/charset/i.test(contentType.replace(/;[ \t]*charset=(?:utf-?8|"utf-?8")[ \t]*(?=;|$)/gi, ''));
}
