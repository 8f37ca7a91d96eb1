import { hostname } from 'node:os';
import { onTestFinished } from 'vitest';
import { resolveConfig } from '../../src/core/config/resolve/resolve-config.ts';
import type { ConfigFile } from '../../src/core/config/schema.ts';
import type { Config, SettingFlags } from '../../src/core/config/settings.ts';
import { createConnections } from '../../src/core/connect/connections.ts';
import type { Deps } from '../../src/core/connect/deps.ts';
import type { SkulkEvent } from '../../src/core/kernel/flow/events.ts';
import type { World } from '../../src/core/kernel/world.ts';

/** A world for a test, with all of its reported events. */
export interface TestWorld extends World {
  readonly events: SkulkEvent[];
  readonly warnings: () => readonly string[];
}

/** A world whose home is a directory of the test. */
export function testWorld(
  home: string,
  {
    env = {},
    signal = new AbortController().signal,
    now = () => new Date(),
  }: { env?: Record<string, string>; signal?: AbortSignal; now?: () => Date } = {},
): TestWorld {
  const events: SkulkEvent[] = [];
  return {
    // It must not find, and change, a store that a developer serves on this machine.
    env: { SKULK_HOME: home, SKULK_NO_DISCOVERY: '1', ...env },
    cwd: home,
    platform: process.platform,
    hostname: hostname(),
    homeDirectory: home,
    user: () => 'anna',
    version: '0.0.0-test',
    now,
    signal,
    emit: (event) => void events.push(event),
    events,
    warnings: () => events.filter((event) => event.type === 'warning').map((event) => event.message),
  };
}

/** The configuration from a file's content and flags in a world. */
export const testConfig = (
  world: World,
  { content = {}, flags = {}, nodeId }: { content?: ConfigFile; flags?: SettingFlags; nodeId?: string } = {},
): Config => resolveConfig(world, { content, file: undefined, flags, nodeId, skulkHome: world.env['SKULK_HOME'] ?? world.homeDirectory });

/** The dependencies of an operation in a world. Its connections to stores are closed when the test ends. */
export function testDeps<W extends World>(
  world: W,
  config: Config = testConfig(world),
): Pick<Deps, 'config' | 'connections'> & { world: W } {
  const connections = createConnections(world);
  onTestFinished(() => connections[Symbol.dispose]());
  return { world, config, connections };
}
