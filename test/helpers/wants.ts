import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The browser of the tests. */
export const chromiumPath = process.env['SKULK_TEST_CHROMIUM'] ?? '/usr/bin/chromium';

/** Where programs are looked for that download models; the directory that the variable names is the first. */
export const clientPath = [process.env['SKULK_TEST_CLIENTS'] ?? [], process.env['PATH'] ?? []].flat().join(delimiter);

const runs = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;
const isClient = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { env: { ...process.env, PATH: clientPath } }).status === 0;
const llamaModules = fileURLToPath(new URL('../llama/node_modules/', import.meta.url));
const isRoot = process.getuid?.() === 0;
const namespace = `skulk-probe-${process.pid}`;

/** The requirements of some tests, and whether the machine meets them. */
const looks = {
  chromium: () => existsSync(chromiumPath),
  tmux: () => runs('tmux', '-V') && runs('pgrep', '-V'),
  'a disk of their own': () => isRoot && runs('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'),
  'network namespaces': () => isRoot && runs('ip', 'netns', 'add', namespace) && runs('ip', 'netns', 'delete', namespace),
  'pid namespaces': () => runs('unshare', '-pfu', '--mount-proc', 'true'),
  'an exFAT disk': () =>
    isRoot && existsSync('/dev/fuse') && runs('sh', '-c', 'command -v mkfs.exfat && command -v mount.exfat-fuse && losetup --find'),
  openssl: () => runs('openssl', 'version'),
  script: () => runs('script', '-qec', 'true', '/dev/null'),
  zsh: () => runs('zsh', '-fc', 'zmodload zsh/zpty'),
  fish: () => runs('fish', '--version'),
  '/dev/full': () => existsSync('/dev/full'),
  'llama.cpp': () => existsSync(llamaModules),
  'llama-quantize': () => existsSync(join(llamaModules, 'koffi')),
  SKULK_TEST_ENGINE_LLAMA: () => process.env['SKULK_TEST_ENGINE_LLAMA'] !== undefined,
  SKULK_TEST_ENGINE_MLX: () => process.env['SKULK_TEST_ENGINE_MLX'] !== undefined,
  SKULK_TEST_ENGINE_OPTIQ: () => process.env['SKULK_TEST_ENGINE_OPTIQ'] !== undefined,
  wget: () => runs('wget', '--version'),
  aria2: () => runs('aria2c', '--version'),
  jq: () => runs('jq', '--version'),
  'transformers.js': () => existsSync(fileURLToPath(new URL('../transformers/node_modules/', import.meta.url))),
  hf: () => isClient('hf', 'version'),
  huggingface_hub: () => isClient('python3', '-c', 'import huggingface_hub'),
  transformers: () => isClient('python3', '-c', 'import torch, transformers'),
  'llama-server': () => isClient('llama-server', '--version'),
  root: () => isRoot,
  'a user who is not root': () => !isRoot,
};

/** The name of a requirement of a test. */
export type Want = keyof typeof looks;

const known = new Map<Want, boolean>();

const isThere = (want: Want): boolean => {
  const found = known.get(want) ?? looks[want]();
  known.set(want, found);
  return found;
};

/** The options of a test, or a group of them, that is skipped and reported when a requirement is missing. */
export function wants(...all: readonly Want[]): { readonly skip?: true; readonly meta?: { readonly wants: string } } {
  const missing = all.find((want) => !isThere(want));
  return missing === undefined ? {} : { skip: true, meta: { wants: missing } };
}

declare module 'vitest' {
  interface TaskMeta {
    /** The requirements that the machine does not meet. */
    readonly wants?: string;
  }
}
