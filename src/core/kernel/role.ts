/** The roles, each with all rights of the ones before it. */
export const roles = ['read', 'node', 'admin'] as const;

/** `read` lists and fetches, `node` stages and changes models, `admin` changes settings. */
export type Role = (typeof roles)[number];

/** Whether the role `has` includes the rights of the role `needs`. */
export const mayActAs = (has: Role | 'none', needs: Role): boolean => has !== 'none' && roles.indexOf(has) >= roles.indexOf(needs);
