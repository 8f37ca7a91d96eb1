/** No directory: the configuration of a developer must not affect a test, and a test that would write there fails. */
const nowhere = '/dev/null/nowhere';

/** The delays of CONTRIBUTING.md, for the processes of a test too. */
const { SKULK_TEST_DELAY, SKULK_TEST_SEED } = process.env;
export const delays: Readonly<Record<string, string>> =
  SKULK_TEST_DELAY === undefined
    ? {}
    : {
        NODE_OPTIONS: `--import ${new URL('delays.mjs', import.meta.url).href}`,
        SKULK_TEST_DELAY,
        ...(SKULK_TEST_SEED !== undefined && { SKULK_TEST_SEED }),
      };

/**
 * The environment of a process under test: PATH and HOME of the developer, but not their configuration of skulk or their token of Hugging
 * Face, unless the test sets its own home.
 */
export function ownEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', HOME = '/' } = process.env;
  return { PATH, HOME, ...delays, ...(env['HOME'] === undefined && { XDG_CONFIG_HOME: nowhere, HF_HOME: nowhere }), ...env };
}
