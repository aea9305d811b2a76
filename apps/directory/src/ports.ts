/** Injection tokens: services and ports are injected by these, never by type (an interface has none at run time). */
export const MANIFESTS = Symbol('ManifestService');
export const MANIFEST_LIMITERS = Symbol('ManifestLimiters');
export const OPENAPI = Symbol('OpenApi');
