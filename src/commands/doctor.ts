import { type Deps, defineCommand, type TextBlock } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { plural } from '../core/kernel/units.ts';
import type { Check } from '../core/operations/doctor/check.ts';

/** `skulk doctor`: diagnose this machine and suggest fixes. */
export const doctor = defineCommand({
  name: 'doctor',
  summary: 'diagnose this machine and suggest fixes',
  description: [
    'Checks the configuration, the role of this machine, whether the store host resolves and answers, the clock, the paths and their free space, the copies and the budget. It changes nothing.',
    'The exit status is 0 if there is no problem; otherwise it is that of the first problem. A machine without a store is a warning, not a problem: `skulk health` ends with status 4 then.',
  ],
  examples: [
    ['check this machine', 'skulk doctor'],
    ['show only the problems', 'skulk doctor --json | jq \'.checks[] | select(.status != "ok")\''],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space'],
  run: async (_, context) => {
    let deps: Deps;
    try {
      deps = await context.deps();
    } catch (error) {
      if (!(error instanceof SkulkError) || error.code !== 'CONFIG') throw error;
      const { problemOf } = await import('../core/operations/doctor/check.ts');
      return { ok: false, checks: [problemOf('configuration', error)] };
    }
    const { runDoctor } = await import('../core/operations/doctor/run-doctor.ts');
    return runDoctor(deps);
  },
  text: ({ checks }) => checks.flatMap(toLines),
  failure: ({ checks }) => {
    const problems = checks.filter(({ status }) => status === 'problem');
    const [first] = problems;
    if (first === undefined) return undefined;
    return new SkulkError(first.code ?? 'CONFIG', `${plural(problems.length, 'problem')}, first: ${first.found}`, {
      hint: first.todo ?? undefined,
    });
  },
});

const marks = {
  ok: ['ok  ', 'good'],
  warning: ['warn', 'warning'],
  problem: ['FAIL', 'bad'],
  skipped: ['-   ', 'faint'],
} as const;

function toLines({ id, status, found, todo }: Check): readonly TextBlock[] {
  const [text, color] = marks[status];
  return [
    { line: [{ text, color }, `  ${id}: ${found}`], indent: 6 },
    ...(todo === null ? [] : [{ line: ['      -> ', todo], indent: 9 }]),
  ];
}
