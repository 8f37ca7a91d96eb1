import { SkulkError } from '../core/kernel/errors.ts';
import type { AnyCommand } from './definition.ts';
import type { Host } from './host.ts';
import { reportError } from './report-error.ts';
import { type Scan, scan } from './scan.ts';
import { makeTerminal, type Terminal } from './terminal.ts';

export { processHost } from './host.ts';

/**
 * Runs one command line and gives the exit status. Only what this command needs is loaded.
 * @param argv the words after the program's name
 */
export async function main(argv: readonly string[], host: Host): Promise<number> {
  const isVerb = (word: string): boolean => word === 'help' || Object.hasOwn(host.commands, word);
  const line = scan(argv, isVerb);
  const terminal = makeTerminal(host, { noColor: line.noColor, secrets: line.tokens });
  const stopListening = host.onCrash((error) => host.exit(reportError(error, terminal, line)));
  try {
    return await dispatch(line, host, terminal);
  } catch (error) {
    return reportError(error, terminal, line);
  } finally {
    stopListening();
  }
}

async function dispatch(line: Scan, host: Host, terminal: Terminal): Promise<number> {
  if (line.help || line.verb === 'help') return printHelp(line, host, terminal);
  if (line.version) {
    await terminal.print(line.json ? JSON.stringify({ version: host.version }) : `skulk ${host.version}`);
    return 0;
  }
  if (line.verb === undefined) throw await refuseWithoutVerb(line);
  const command = await findCommand(line.verb, host);
  const { parseArguments } = await import('./program.ts');
  const parsed = parseArguments(command, line.rest);
  if (parsed.globals.quiet && parsed.globals.verbose)
    throw new SkulkError('USAGE', '--quiet and --verbose cannot be combined', { hint: 'use only one of them' });
  const { runCommand } = await import('./run-command.ts');
  return runCommand(command, parsed, host, terminal);
}

async function printHelp(line: Scan, host: Host, terminal: Terminal): Promise<number> {
  const topic = line.verb === 'help' ? line.rest.find((word) => !word.startsWith('-')) : line.verb;
  const help = await import('./help.ts');
  if (topic === undefined || topic === 'help') {
    const { loadAll } = await import('./load-all.ts');
    await terminal.print(help.programHelp(await loadAll(host.commands)));
  } else {
    await terminal.print(help.commandHelp(await findCommand(topic, host)));
  }
  return 0;
}

async function findCommand(verb: string, { commands }: Host): Promise<AnyCommand> {
  const load = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (load !== undefined) return load();
  const { nearest } = await import('../core/kernel/nearest.ts');
  const suggestion = nearest(verb, Object.keys(commands));
  const shown = JSON.stringify(verb.length > 60 ? `${verb.slice(0, 59)}…` : verb);
  throw new SkulkError('USAGE', `${shown} is not a skulk command`, {
    hint: suggestion === undefined ? '`skulk --help` lists them' : `did you mean "skulk ${suggestion}"?`,
  });
}

/** A flag without a verb may be a mistyped global one. */
async function refuseWithoutVerb({ rest }: Scan): Promise<SkulkError> {
  const { unknownGlobalFlag } = await import('./program.ts');
  return unknownGlobalFlag(rest) ?? new SkulkError('USAGE', 'no command given', { hint: '`skulk --help` lists them' });
}
