import type { AnyCommand, CommandLoaders } from '../cli/definition.ts';

/** Every verb, in the order of the help; a definition is loaded only when it is needed. */
export const commandLoaders = {
  serve: async (): Promise<AnyCommand> => (await import('./serve.ts')).serve,
  service: async (): Promise<AnyCommand> => (await import('./service.ts')).service,
  add: async (): Promise<AnyCommand> => (await import('./add.ts')).add,
  download: async (): Promise<AnyCommand> => (await import('./download.ts')).download,
  downloads: async (): Promise<AnyCommand> => (await import('./downloads.ts')).downloads,
  cancel: async (): Promise<AnyCommand> => (await import('./cancel.ts')).cancel,
  registry: async (): Promise<AnyCommand> => (await import('./registry.ts')).registry,
  show: async (): Promise<AnyCommand> => (await import('./show.ts')).show,
  stage: async (): Promise<AnyCommand> => (await import('./stage.ts')).stage,
  run: async (): Promise<AnyCommand> => (await import('./run.ts')).run,
  activate: async (): Promise<AnyCommand> => (await import('./activate.ts')).activate,
  deactivate: async (): Promise<AnyCommand> => (await import('./deactivate.ts')).deactivate,
  staging: async (): Promise<AnyCommand> => (await import('./staging.ts')).staging,
  reconcile: async (): Promise<AnyCommand> => (await import('./reconcile.ts')).reconcile,
  'purge-staging': async (): Promise<AnyCommand> => (await import('./purge-staging.ts')).purgeStaging,
  delete: async (): Promise<AnyCommand> => (await import('./delete.ts')).deleteModel,
  nodes: async (): Promise<AnyCommand> => (await import('./nodes.ts')).nodes,
  discover: async (): Promise<AnyCommand> => (await import('./discover.ts')).discover,
  verify: async (): Promise<AnyCommand> => (await import('./verify.ts')).verify,
  health: async (): Promise<AnyCommand> => (await import('./health.ts')).health,
  dashboard: async (): Promise<AnyCommand> => (await import('./dashboard.ts')).dashboard,
  doctor: async (): Promise<AnyCommand> => (await import('./doctor.ts')).doctor,
  config: async (): Promise<AnyCommand> => (await import('./config.ts')).config,
  completion: async (): Promise<AnyCommand> => (await import('./completion.ts')).completion,
} as const satisfies CommandLoaders;
