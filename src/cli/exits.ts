/** The exit statuses, by name, as in help and man pages. The numbers come from kernel/errors.ts. */
export const exitStatuses = {
  ok: [0, 'done'],
  bug: [1, 'a bug in skulk'],
  usage: [2, 'wrong usage or configuration'],
  'not-found': [3, 'no such model, file or revision'],
  'store-unreachable': [4, 'no store is configured, or the store does not answer'],
  conflict: [5, 'in use or locked by another process'],
  integrity: [6, 'the content does not match its sha256'],
  'no-space': [7, 'not enough space on the disk'],
  hub: [8, 'Hugging Face refused or failed'],
  partial: [9, 'partially done'],
  'not-executable': [126, 'the program cannot be executed'],
  'no-program': [127, 'there is no such program'],
  program: ['any', "the program's own; 128 + n if a signal ended it"],
  interrupted: ['130, 143', 'interrupted by Ctrl-C or SIGTERM'],
} as const satisfies Record<string, readonly [status: number | string, means: string]>;

/** The name of an exit status. */
export type ExitName = keyof typeof exitStatuses;

/** The exit statuses of many commands. */
export const commonExits: readonly ExitName[] = ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space', 'hub', 'partial'];

/** The exit statuses of a command, including those of every command, in order. */
export function listExits(named: readonly ExitName[]): readonly (readonly [status: string, means: string])[] {
  const all = new Set<string>(['ok', 'bug', 'usage', 'interrupted', ...named]);
  return Object.entries(exitStatuses).flatMap(([name, [status, means]]) => (all.has(name) ? [[String(status), means] as const] : []));
}
