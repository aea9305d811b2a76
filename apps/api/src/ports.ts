/** Injection tokens: services and ports are injected by these, never by type (an interface has none at run time). */
export const ACCOUNTS = Symbol('AccountService');
export const ACTIVATIONS = Symbol('ActivationService');
export const RESETS = Symbol('ResetService');
export const LOGINS = Symbol('LoginService');
export const DEVICES = Symbol('DeviceService');
export const APP_PASSWORDS = Symbol('AppPasswordService');
export const APP_PASSWORD_LOGIN = Symbol('AppPasswordLogin');
export const ATTACHMENTS = Symbol('AttachmentService');
export const CONTACTS = Symbol('ContactService');
export const LINKS = Symbol('LinkChannels');
export const AUTHENTICATE = Symbol('BearerAuthenticator');
export const LIMITERS = Symbol('ApiLimiters');
export const PUBLISHED = Symbol('Published');
