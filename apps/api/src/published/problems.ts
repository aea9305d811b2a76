/** The problems that many routes may answer with, for the description of the API. */

export const LIMITED = ['too-many-requests', 'unavailable'] as const;
export const CALLER_PROBLEMS = ['unauthorized', 'token-expired', 'unavailable'] as const;
