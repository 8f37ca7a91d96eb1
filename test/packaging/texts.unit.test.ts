import { expect, test } from 'vitest';
import { formula } from '../../tools/release/formula.ts';
import { systemUnit } from '../../tools/release/system-unit.ts';
import { targets } from '../../tools/release/targets.ts';

test('the unit of the Debian package runs the server as a separate user', () => {
  const unit = systemUnit();
  expect(unit).toContain('\nUser=skulk\n');
  expect(unit).toContain('\nExecStart="/usr/bin/skulk" "serve"\n');
  expect(unit).toContain('\nWantedBy=multi-user.target\n');
  expect(unit).toContain('\nProtectSystem=full\n');
  expect(unit).not.toMatch(/ExecStartPre|ReadWritePaths|service install/);
});

test('the Homebrew formula names the archive of each machine with its digest', () => {
  const archives = new Map(targets.map(({ id }, index) => [id, { name: `skulk-1.0.0-${id}.tar.gz`, sha256: String(index).repeat(64) }]));
  const text = formula({ version: '1.0.0', url: 'https://example.org/1.0.0', archives });
  for (const { name, sha256 } of archives.values())
    expect(text).toMatch(new RegExp(`url "https://example\\.org/1\\.0\\.0/${name.replaceAll('.', '\\.')}"\\n +sha256 "${sha256}"`));
});

test.each(targets)('the Node for $id is a version that can run skulk', ({ runtime }) => {
  const [major = 0, minor = 0] = runtime.version.split('.').map(Number);
  expect(major >= 24 || (major === 22 && minor >= 18)).toBe(true);
  expect(runtime.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
});
