/** What somebody may do; each role may also do what those before it may. */
export const roles = ['read', 'node', 'admin'] as const;

/** See `roles`: read looks and fetches, node stages and changes models, admin changes settings. */
export type Role = (typeof roles)[number];

/** Whether a value from outside names a role. */
export const isRole = (value: unknown): value is Role => roles.some((role) => role === value);

/** Whether somebody with the role `has` may do what asks for the role `needs`. */
export const mayActAs = (has: Role | 'none', needs: Role): boolean => has !== 'none' && roles.indexOf(has) >= roles.indexOf(needs);
