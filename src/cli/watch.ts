import type { Connection } from '../core/kernel/flow/follow.ts';
import { throttle } from '../core/kernel/flow/throttle.ts';
import type { World } from '../core/kernel/world.ts';
import type { Watched } from './definition.ts';
import { renderTable } from './render/table.ts';
import { renderText } from './render/text.ts';
import type { Terminal } from './terminal.ts';

/** A log should not contain every step of a download; programs get each. In milliseconds. */
const restMs = 3_000;

/**
 * Prints a result again after each change until the world's signal aborts, and then throws the signal's reason: with `json` one document
 * per line, else its text, at most every three seconds and separated by an empty line. A lost connection is reported once on stderr.
 */
export async function watchPlainly<T extends { readonly connection: Connection }>(
  { follow, result }: Watched<T>,
  { world, terminal, json }: { readonly world: World; readonly terminal: Terminal; readonly json: boolean },
): Promise<void> {
  let newest = '';
  let printed: string | undefined;
  let isAway = false;
  const print = (): void => {
    if (newest === printed) return;
    void terminal.print(printed === undefined || json ? newest : `\n${newest}`);
    printed = newest;
  };
  using printThrottled = throttle(restMs, print);
  await follow((now) => {
    const { connection } = now;
    if (connection.state === 'lost' && !isAway)
      world.emit({ type: 'warning', message: connection.message, hint: 'retrying until it answers' });
    isAway = connection.state === 'lost';
    const output = result(now);
    if (output === undefined) return;
    const view = terminal.stdoutIsTerminal ? { columns: terminal.columns, now: world.now() } : undefined;
    newest = json ? JSON.stringify(output.json) : renderText(output.text, view, renderTable, terminal.paint);
    if (json) print();
    else printThrottled();
  }, world.signal);
  world.signal.throwIfAborted();
}
