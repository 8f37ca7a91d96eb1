import { describe, expect, test } from 'vitest';
import { findTrespasses } from '../../tools/find-trespasses.ts';

const judge = (path: string, text: string): readonly string[] => findTrespasses(new Map([[path, text]]));

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
  ])('%s must not hold %s', (path, text) => {
    expect(judge(path, text)).toHaveLength(1);
  });

  test.each([
    ['core/store/x.ts', "import type { A } from '../staging/a.ts';"],
    ['core/operations/x.ts', "import type { Config } from '../config/settings.ts';"],
    ['core/operations/x.ts', "import { a } from '../store/a.ts'; import { join } from 'node:path';"],
    ['commands/x.ts', "import { a } from '../cli/definition.ts'; await import('../core/operations/a.ts');"],
    ['cli/program.ts', "import { Command } from 'commander';"],
    ['web/app/x.tsx', "import '../styles/base.css'; import { Page } from '../pages/page.tsx'; export const a = <b />;"],
  ])('%s may hold %s', (path, text) => {
    expect(judge(path, text)).toEqual([]);
  });

  test('has no cycles, but for types', () => {
    const files = (kind: string) =>
      new Map([
        ['core/kernel/a.ts', `import { b } from './b.ts';`],
        ['core/kernel/b.ts', `import ${kind} { a } from './a.ts';`],
      ]);
    expect(findTrespasses(files(''))).toHaveLength(1);
    expect(findTrespasses(files('type'))).toEqual([]);
  });
});
