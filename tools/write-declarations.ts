import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { declareDocuments } from './declare-documents.ts';
import { listImports } from './list-imports.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/**
 * Writes the types of `import 'skulk'` into `dist/types`: only the files that src/index.ts imports.
 * @throws Error when the compiler fails, or a type is from a package that is not installed with skulk
 */
export async function writeDeclarations(): Promise<void> {
  const all = mkdtempSync(join(tmpdir(), 'skulk-types-'));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    // Without a check of the types, which `npm run check` does: it is three quarters of the whole build.
    const options = ['--noEmit', 'false', '--emitDeclarationOnly', '--declaration', '--noCheck', '--rootDir', 'src', '--outDir', all];
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', 'tools/tsconfig.declarations.json', ...options], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the declarations could not be made:\n${stdout}`);
    await copyReachable('index.ts', { from: all, to: join(root, 'dist/types') });
  } finally {
    rmSync(all, { recursive: true, force: true });
  }
}

async function copyReachable(first: string, { from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  const waiting = [first];
  for (const path of waiting) {
    const name = path.replace(/\.tsx?$/, '.d.ts');
    const isDocument = path.startsWith('core/protocol/');
    const text = isDocument ? await declareDocuments(join(root, 'src'), path) : readFileSync(join(from, name), 'utf8');
    mkdirSync(dirname(join(to, name)), { recursive: true });
    // The compiler of a program that uses skulk finds `x.d.ts` by `x.js`.
    writeFileSync(join(to, name), text.replaceAll(/(['"])(\.[^'"]*)\.tsx?\1/g, '$1$2.js$1'));
    for (const { specifier } of listImports(text, name)) {
      if (specifier.startsWith('node:')) continue;
      if (!specifier.startsWith('.')) throw new Error(`${name} has a type of ${specifier}, which nobody has who installs skulk`);
      const next = join(dirname(path), specifier);
      if (!waiting.includes(next)) waiting.push(next);
    }
  }
}
