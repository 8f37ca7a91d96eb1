import { SkulkError } from '../core/kernel/errors.ts';
import type { World } from '../core/kernel/world.ts';
import type { CommandContext, Screens } from './definition.ts';
import type { GlobalValues } from './global-options.ts';
import type { Host } from './host.ts';
import type { Canvas } from './render/screen/show-screen.tsx';
import type { Terminal } from './terminal.ts';

/** The full-screen views of a terminal, and the watched lists. Their drawing code is only loaded when the first one is shown. */
export function makeScreens(
  world: World,
  { json, noColor }: GlobalValues,
  host: Host,
  terminal: Terminal,
): Pick<CommandContext, 'screens' | 'watch'> {
  const problem = whyNot(json, host);
  const { env } = host;
  const canvas: Canvas = {
    host,
    terminal,
    signal: world.signal,
    hasColor: !noColor && (env['NO_COLOR'] ?? '') === '',
  };
  const screens: Screens = {
    canShow: () => problem === undefined,
    dashboard: async (open) => {
      if (problem !== undefined)
        throw new SkulkError('USAGE', `"skulk dashboard" ${problem}`, {
          hint: '`skulk registry`, `downloads`, `nodes` and `staging` print the same lists, also with --json',
        });
      const [source, { showDashboard }] = await Promise.all([open(), import('./render/show-dashboard.tsx')]);
      await showDashboard(source, canvas);
    },
    configQuestions: async (questions) => {
      const { showQuestions } = await import('./render/show-questions.tsx');
      return showQuestions(questions, canvas);
    },
  };
  return {
    screens,
    watch: async (name, watched) => {
      if (problem !== undefined) {
        const { watchPlainly } = await import('./watch.ts');
        return watchPlainly(watched, { world, terminal, json });
      }
      const { showWatch } = await import('./render/show-watch.tsx');
      await showWatch(name, { follow: watched.follow, now: world.now }, canvas);
    },
  };
}

/** Why a screen cannot be shown, as the end of a sentence. */
function whyNot(json: boolean, { stdin, stdout, env }: Host): string | undefined {
  if (json) return 'is interactive and has no JSON output';
  if (stdin.isTTY !== true || stdout.isTTY !== true) return 'needs a terminal';
  return env['TERM'] === 'dumb' ? 'needs a terminal that can move its cursor, but TERM is dumb' : undefined;
}
