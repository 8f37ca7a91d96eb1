import { resolve } from 'node:path';
import type { World } from '../kernel/world.ts';
import { expandPath } from './resolve/expand-path.ts';

/** `SKULK_HOME`, default `~/.skulk`. */
export const skulkHomeOf = (world: World): string => resolve(world.cwd, expandPath(world.env['SKULK_HOME'] || '~/.skulk', world));

/** Whether that is not the default directory. */
export const isHomeMoved = (world: World): boolean => skulkHomeOf(world) !== resolve(world.cwd, expandPath('~/.skulk', world));
