import { describe, expect, test } from 'vitest';
import { describeRooms } from '../../tools/describe-rooms.ts';
import { findRoomViolations, findUpwardRules } from '../../tools/find-room-violations.ts';
import { rooms } from '../../tools/rooms.ts';

const check = (path: string, text: string): readonly string[] => findRoomViolations(new Map([[path, text]]));

describe('the table of rooms', () => {
  test.each([
    ['core/kernel/x.ts', "import { a } from '../config/load.ts';"],
    ['core/transfer/x.ts', "import type { A } from '../store/contract.ts';"],
    ['core/config/x.ts', "import { a } from '../client/a.ts';"],
    ['core/store/x.ts', "import { a } from '../staging/a.ts';"],
    ['core/store/x.ts', "export { a } from '../operations/a.ts';"],
    ['core/operations/x.ts', "import { a } from '../server/a.ts';"],
    ['core/operations/x.ts', "import { a } from '../config/load.ts';"],
    ['core/operations/x.ts', "await import('../../cli/main.ts');"],
    ['core/server/x.ts', "import { a } from '../store/a.ts';"],
    ['commands/x.ts', "import { a } from '../cli/main.ts';"],
    ['commands/x.ts', "import { readFile } from 'node:fs/promises';"],
    ['commands/x.ts', "import { a } from '../core/store/a.ts';"],
    ['cli/x.ts', "import { a } from '../core/operations/a.ts';"],
    ['cli/x.ts', "import { a } from '../commands/index.ts';"],
    ['cli/x.ts', "import { Command } from 'commander';"],
    ['cli/x.ts', "import { MultiBar } from 'cli-progress';"],
    ['core/client/x.ts', "import ajv from 'ajv';"],
    ['core/store/x.ts', "import fetch from 'node-fetch';"],
    ['core/kernel/x.ts', "import x from 'left-pad';"],
    ['core/attic/x.ts', "import { a } from './a.ts';"],
    ['web/api/x.ts', "import { useState } from 'react';"],
    ['web/api/x.ts', "import type { A } from '../../src/core/store/contract.ts';"],
    ['web/parts/x.tsx', "import { Page } from '../pages/page.tsx'; export const a = <b />;"],
    ['web/pages/x.tsx', "import { join } from 'node:path';"],
  ])('does not allow %s to contain %s', (path, text) => {
    expect(check(path, text)).toHaveLength(1);
  });

  test.each([
    ['core/store/x.ts', "import type { A } from '../staging/a.ts';"],
    ['core/operations/x.ts', "import type { Config } from '../config/settings.ts';"],
    ['core/operations/x.ts', "import { a } from '../store/a.ts'; import { join } from 'node:path';"],
    ['commands/x.ts', "import { a } from '../cli/definition.ts'; await import('../core/operations/a.ts');"],
    ['cli/program.ts', "import { Command } from 'commander';"],
    ['web/app/x.tsx', "import '../styles/base.css'; import { Page } from '../pages/page.tsx'; export const a = <b />;"],
  ])('allows %s to contain %s', (path, text) => {
    expect(check(path, text)).toEqual([]);
  });

  test('has no cycles, except for types', () => {
    const files = (kind: string) =>
      new Map([
        ['core/kernel/a.ts', `import { b } from './b.ts';`],
        ['core/kernel/b.ts', `import ${kind} { a } from './a.ts';`],
      ]);
    expect(findRoomViolations(files(''))).toHaveLength(1);
    expect(findRoomViolations(files('type'))).toEqual([]);
  });

  test('does not let a room import values from a room above it', () => {
    const kernel = { values: [] };
    expect(findUpwardRules({ 'core/store': { values: ['core/kernel'] }, 'core/kernel': kernel })).toEqual([]);
    expect(findUpwardRules({ 'core/store': kernel, 'core/kernel': { values: ['core/store'] } })).toHaveLength(1);
    const door = { 'core/kernel/a.ts': ['core/store/b'] };
    expect(findUpwardRules({ 'core/store': kernel, 'core/kernel': { ...kernel, doors: door } })).toHaveLength(1);
    expect(findUpwardRules(rooms)).toEqual([]);
  });

  test('has a limit of 25 files in one folder, except for commands', () => {
    const files = (folder: string, count: number) =>
      new Map(Array.from({ length: count }, (_, index) => [`${folder}/file-${index}.ts`, ''] as const));
    expect(findRoomViolations(files('core/kernel/files', 25))).toEqual([]);
    expect(findRoomViolations(files('core/kernel/files', 26))).toEqual([expect.stringContaining('core/kernel/files: 26 files')]);
    expect(findRoomViolations(files('commands', 40))).toEqual([]);
  });

  test('is printed with the files, the imports and the importers of each room', () => {
    const files = new Map([
      ['core/store/disk/a.ts', `import { b } from '../../kernel/b.ts';`],
      ['core/store/c.ts', `import type { B } from '../kernel/b.ts';\nimport { a } from './disk/a.ts';`],
      ['core/kernel/b.ts', ''],
    ]);
    const lines = describeRooms(files).split('\n');
    const at = lines.findIndex((line) => line.startsWith('core/store'));
    expect(lines.slice(at, at + 3).map((line) => line.trim())).toEqual([
      expect.stringMatching(/^core\/store +2 files: 1, disk 1$/),
      'imports      kernel 2',
      'imported by  -',
    ]);
    expect(describeRooms(files)).toContain('imported by  store 2');
  });
});
