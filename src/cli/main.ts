import { SkulkError } from '../core/kernel/errors.ts';
import { nearest } from '../core/kernel/nearest.ts';
import { aliases, verbOf } from './aliases.ts';
import type { AnyCommand } from './definition.ts';
import type { Host } from './host.ts';
import { reportError } from './report-error.ts';
import { type Scan, scan } from './scan.ts';
import { makeTerminal, type Terminal } from './terminal.ts';

export { processHost } from './host.ts';

/**
 * Runs one command line and returns the exit status. Only loads what this command needs.
 * @param argv the words after the program's name
 */
export async function main(argv: readonly string[], host: Host): Promise<number> {
  const isVerb = (word: string): boolean => word === 'help' || word === 'version' || Object.hasOwn(host.commands, verbOf(word));
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
  if (line.version || (line.verb === 'version' && line.rest.every((word) => word.startsWith('-')))) {
    await terminal.print(line.json ? JSON.stringify({ version: host.version }) : `skulk ${host.version}`);
    return 0;
  }
  if (line.verb === undefined) return answerWithoutVerb(line, host, terminal);
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
  const columns = terminal.stdoutIsTerminal ? (terminal.columns ?? 0) : undefined;
  if (topic === undefined || topic === 'help' || topic === 'version') {
    const { loadAll } = await import('./load-all.ts');
    await terminal.print(help.programHelp(await loadAll(host.commands), columns));
  } else {
    await terminal.print(help.commandHelp(await findCommand(topic, host), columns));
  }
  return 0;
}

async function findCommand(word: string, { commands }: Host): Promise<AnyCommand> {
  const verb = verbOf(word);
  const load = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (load !== undefined) return load();
  const { hintForWord } = await import('./other-words.ts');
  const suggestion = nearest(verb, [...Object.keys(commands), ...Object.keys(aliases), 'version']);
  const shown = JSON.stringify(verb.length > 60 ? `${verb.slice(0, 59)}…` : verb);
  throw new SkulkError('USAGE', `${shown} is not a skulk command`, {
    hint: hintForWord(verb) ?? (suggestion === undefined ? '`skulk --help` lists the commands' : `did you mean "skulk ${suggestion}"?`),
  });
}

/** Prints the help. A flag without a command may be a mistyped global one, and a program that requests JSON cannot read the help. */
async function answerWithoutVerb(line: Scan, host: Host, terminal: Terminal): Promise<number> {
  const { wrongGlobalFlag } = await import('./program.ts');
  const refusal = wrongGlobalFlag(line.rest);
  if (refusal !== undefined) throw refusal;
  if (line.json) throw new SkulkError('USAGE', 'no command given', { hint: '`skulk --help` lists the commands' });
  return printHelp(line, host, terminal);
}
