/** No directory: what a developer has in theirs is nobody's business, and a test that would write there fails. */
const nowhere = '/dev/null/nowhere';

/**
 * The environment of a process under test: PATH and HOME of the developer, but neither their configuration of skulk nor their token of
 * Hugging Face, unless the test names a home of its own.
 */
export function ownEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', HOME = '/' } = process.env;
  return { PATH, HOME, ...(env['HOME'] === undefined && { XDG_CONFIG_HOME: nowhere, HF_HOME: nowhere }), ...env };
}
