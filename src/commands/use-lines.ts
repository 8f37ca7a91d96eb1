import type { TextBlock } from '../cli/definition.ts';
import type { ModelUses } from '../core/operations/programs/show-uses.ts';

type ProgramUse = ModelUses['programs'][number];

/** The commands for one program: lines for a shell, with everything else as comments. */
export function useLines({ title, hub, staged, pitfall }: ProgramUse, address: string | null): readonly TextBlock[] {
  return [
    hub.lines === undefined ? `# ${hub.problem ?? ''}` : `# ${title} asks ${address ?? 'the store'}; its machine needs no skulk`,
    ...(hub.lines ?? []),
    ...(staged.lines === undefined ? [] : ['', '# with skulk on the machine: a verified copy', ...staged.lines]),
    '',
    `# note: ${pitfall}`,
  ];
}

/** Every program, with the ways that work for a model. */
export function useTable({ programs }: ModelUses): readonly TextBlock[] {
  const rows = programs.map(({ program, hub, staged }) => [
    program,
    hub.lines === undefined ? 'no' : 'yes',
    staged.lines === undefined ? 'no' : 'yes',
    hub.problem ?? '',
  ]);
  return [{ header: ['PROGRAM', 'FROM STORE', 'STAGED', 'NOTE'], rows, apart: 3 }];
}

/** The same as JSON. */
export const useJson = ({ program, title, hub, staged, pitfall }: ProgramUse): object => ({
  program,
  title,
  lines: hub.lines ?? null,
  problem: hub.problem ?? null,
  staged_lines: staged.lines ?? null,
  staged_problem: staged.problem ?? null,
  pitfall,
});
