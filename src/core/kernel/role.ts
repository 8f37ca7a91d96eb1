/** What somebody may do; each role may also do what those before it may. */
export const roles = ['read', 'node', 'admin'] as const;

/** See `roles`: read looks and fetches, node stages and changes models, admin changes settings. */
export type Role = (typeof roles)[number];

/** Whether somebody with the role `has` may do what asks for the role `needs`. */
export const mayActAs = (has: Role | 'none', needs: Role): boolean => has !== 'none' && roles.indexOf(has) >= roles.indexOf(needs);
