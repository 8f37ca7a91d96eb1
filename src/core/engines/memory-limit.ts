import { SkulkError } from '../kernel/errors.ts';
import { findProgram } from '../kernel/process/child-program.ts';
import type { EngineSearch } from './contract.ts';
import { searchPath } from './find-program-in.ts';

/** A memory limit for an engine, and how it is applied. */
export interface MemoryLimit {
  readonly bytes: number;
  /** The prefix of the command. */
  readonly prefix: readonly string[];
  /** The environment that the prefix needs. */
  readonly env: Readonly<Record<string, string>>;
}

const variable = 'SKULK_ENGINE_MEMORY_MAX';
const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/**
 * The limit from the environment: a control group, by systemd-run. Limits of the address space (ulimit) would end engines that only map
 * their files. Undefined without a limit. Source: systemd-run(1), systemd.resource-control(5)
 * @throws SkulkError CONFIG if it is not a number of bytes, or this machine has no systemd-run
 */
export function memoryLimitOf({
  env,
  platform,
  homeDirectory,
}: Pick<EngineSearch, 'env' | 'platform' | 'homeDirectory'>): MemoryLimit | undefined {
  const text = env[variable];
  if (text === undefined || text === '') return undefined;
  const [, number, unit = ''] = /^(\d{1,15})([KMGT]?)$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0)
    throw new SkulkError('CONFIG', `${variable} is ${JSON.stringify(text.slice(0, 40))}, which is not a number of bytes`, {
      hint: 'e.g. 16G; K, M, G and T are multiples of 1024',
    });
  const bytes = Number(number) * (units[unit] ?? 1);
  const refuse = (why: string, cause?: unknown): never => {
    throw new SkulkError('CONFIG', `${variable} cannot be applied: ${why}`, {
      hint: 'unset it; it works on Linux with systemd only',
      cause,
    });
  };
  if (platform !== 'linux') return refuse('this system has no control groups');
  let program: string;
  try {
    program = findProgram('systemd-run', { env: { PATH: searchPath({ env, homeDirectory }) }, cwd: '/' });
  } catch (error) {
    return refuse('systemd-run was not found', error);
  }
  const isRoot = process.getuid?.() === 0;
  const wanted = isRoot ? [] : ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'];
  return {
    bytes,
    prefix: [
      program,
      ...(isRoot ? [] : ['--user']),
      '--scope',
      '--quiet',
      '--collect',
      '-p',
      `MemoryMax=${bytes}`,
      '-p',
      'MemorySwapMax=0',
      '--',
    ],
    env: Object.fromEntries(wanted.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))),
  };
}
