/** Injection tokens: services and ports are injected by these, never by type (an interface has none at run time). */
export const MANIFESTS = Symbol('ManifestService');
export const FOREIGN_MANIFESTS = Symbol('ForeignManifests');
export const MANIFEST_LIMITERS = Symbol('ManifestLimiters');
export const OPENAPI = Symbol('OpenApi');
/** The device of a bearer token. */
export const AUTHENTICATE = Symbol('BearerAuthenticator');
export const KEYS = Symbol('KeysService');
export const PEER_KEY = Symbol('PeerKey');
