// What npm runs after it installed the clone. The first `npx skulk` of a user in the clone installs it once more, into the cache of npx.
// A build then would take half a minute without a word, and would replace the program under a running `skulk serve`.
import { execSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const isBuilt = existsSync(new URL('../dist/web/index.html', import.meta.url));
if (process.env.npm_command !== 'exec' || !isBuilt) {
  execSync('npm run --silent build', { cwd: new URL('..', import.meta.url), stdio: 'inherit' });
  await import('./print-setup.ts');
}
