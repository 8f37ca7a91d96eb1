import type { SettingFlags } from '../core/config/settings.ts';
import { createConnections } from '../core/connect/connections.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { rejectOnAbort } from '../core/kernel/flow/reject-on-abort.ts';
import type { World } from '../core/kernel/world.ts';
import type { AnyCommand, CommandContext, Deps, Outcome } from './definition.ts';
import type { GlobalValues } from './global-options.ts';
import type { Host, StopSignal } from './host.ts';
import type { Parsed } from './program.ts';
import { inColor } from './render/paint.ts';
import { makeReporter } from './render/progress.ts';
import { hasTable, notShown, renderText, type TerminalView } from './render/text.ts';
import { reportError } from './report-error.ts';
import { makeScreens } from './screens.ts';
import type { Terminal } from './terminal.ts';

const stopCodes = { SIGINT: ['INTERRUPTED', 'interrupted'], SIGTERM: ['TERMINATED', 'terminated'] } as const;

/**
 * Runs a command and prints its result.
 * @returns the exit status
 * @throws the command's error; after an interruption, the SkulkError for that
 */
export async function runCommand(command: AnyCommand, { globals, given }: Parsed, host: Host, terminal: Terminal): Promise<number> {
  const abort = new AbortController();
  const reporter = makeReporter(terminal, { quiet: globals.quiet, verbose: globals.verbose, progress: !globals.noProgress });
  let isTaken = false;
  const stopListening = host.onSignal((signal) => {
    if (!isTaken)
      onStop(signal, abort, host, (stopped) => {
        reporter.stop();
        return reportError(stopped, terminal, globals);
      });
  });
  const takeSignals = (listener: (signal: NodeJS.Signals) => void): (() => void) => {
    const stop = host.onPassableSignal(listener);
    isTaken = true;
    reporter.stop();
    return () => {
      isTaken = false;
      stop();
    };
  };
  try {
    const world: World = {
      env: host.env,
      cwd: host.cwd,
      platform: host.platform,
      hostname: host.hostname,
      homeDirectory: host.homeDirectory,
      user: host.user,
      version: host.version,
      now: () => new Date(),
      signal: abort.signal,
      emit: reporter.emit,
    };
    using connections = createConnections(world);
    const outcome = await command.execute(given, { ...makeContext({ world, connections }, globals, host, terminal), takeSignals });
    reporter.stop();
    return await printOutcome(outcome, globals, { terminal, now: world.now() });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    // Running work fails in different ways after the signal; the user only needs to know that it stopped.
    const stopped = error instanceof SkulkError ? error : (abort.signal.reason as SkulkError);
    const isBare = stopped === abort.signal.reason && stopped.hint === undefined;
    const { whenInterrupted } = command;
    const hint = typeof whenInterrupted === 'function' ? whenInterrupted(given) : whenInterrupted;
    throw isBare ? new SkulkError(stopped.code, stopped.message, { hint }) : stopped;
  } finally {
    reporter.stop();
    stopListening();
  }
}

/** The first signal lets the command end, the second one ends it at once. */
function onStop(signal: StopSignal, abort: AbortController, host: Host, report: (stopped: SkulkError) => number): void {
  const [code, message] = stopCodes[signal];
  const stopped = new SkulkError(code, message);
  if (abort.signal.aborted) host.exit(report(stopped));
  abort.abort(stopped);
}

async function printOutcome(
  { text, json, notice, failure, status = 0 }: Outcome,
  { json: asJson, quiet, verbose }: GlobalValues,
  { terminal, now }: { readonly terminal: Terminal; readonly now: Date },
): Promise<number> {
  if (asJson && json !== undefined) await terminal.print(formatJson(json, terminal));
  const shown = quiet ? text.filter((block) => typeof block === 'string' || !('aside' in block && block.aside === true)) : text;
  if (!asJson && shown.length > 0) {
    const dropped = new Set<string>();
    const onDropped = (header: string): void => void dropped.add(header);
    const view: TerminalView | undefined = terminal.stdoutIsTerminal ? { columns: terminal.columns, now, onDropped } : undefined;
    const renderTable = hasTable(shown) ? (await import('./render/table.ts')).renderTable : () => [];
    await terminal.print(renderText(shown, view, renderTable, terminal.paint));
    if (dropped.size > 0 && !quiet && terminal.stderrIsTerminal) {
      const note = terminal.present(notShown([...dropped]));
      terminal.stderr.write(`${terminal.color ? inColor(note, 'faint') : note}\n`);
    }
  }
  if (notice !== undefined && !quiet && !asJson) terminal.say(notice);
  return failure === undefined ? status : reportError(failure, terminal, { json: asJson, verbose });
}

const formatJson = (value: unknown, { stdoutIsTerminal }: Terminal): string => JSON.stringify(value, undefined, stdoutIsTerminal ? 2 : 0);

function makeContext(
  { world, connections }: Pick<Deps, 'world' | 'connections'>,
  globals: GlobalValues,
  host: Host,
  terminal: Terminal,
): Omit<CommandContext, 'takeSignals'> {
  const flags: SettingFlags = { config: globals.config, store: globals.store, token: globals.token };
  return {
    world,
    flags,
    // Lines of JSON are for a log, not for a user at the terminal.
    logLevel: globals.verbose ? 'debug' : globals.quiet || terminal.stderrIsTerminal ? 'warn' : 'info',
    ...(host.log !== undefined && { logStream: host.log }),
    ...(host.replacement !== undefined && { replacement: host.replacement }),
    isOnTerminal: () => terminal.stdoutIsTerminal && !globals.json,
    canAsk: () => terminal.stderrIsTerminal && host.stdin.isTTY === true,
    deps: async (more): Promise<Deps> => {
      const { loadConfig } = await import('../core/config/load.ts');
      // A disk or a pipe that does not answer must not hold up the end after a signal.
      const config = await Promise.race([loadConfig(world, { ...flags, ...more }), rejectOnAbort(world.signal)]);
      terminal.hide(config.settings.token.value);
      terminal.hide(config.settings.hubToken.value);
      const { guardMount } = await import('../core/kernel/machine/known-mounts.ts');
      await guardMount(config.skulkHome, config.settings.nodeCachePath.value);
      return { world, config, connections };
    },
    confirm: async (question) => (await import('./confirm.ts')).confirm(question, { input: host.stdin, terminal, signal: world.signal }),
    ...makeScreens(world, globals, host, terminal),
    announce: (line, json) => void terminal.print(globals.json ? JSON.stringify(json) : line),
    completionScript: async (shell) => {
      const [{ writeCompletion }, { loadAll }] = await Promise.all([import('./completion/write-completion.ts'), import('./load-all.ts')]);
      return writeCompletion(shell, await loadAll(host.commands));
    },
  };
}
