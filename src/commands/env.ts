import { choice, defineCommand } from '../cli/definition.ts';
import { envLines, envShells, shellOf } from './env-lines.ts';

/** `skulk env`: the variables that make Hugging Face clients use the store. */
export const env = defineCommand({
  name: 'env',
  summary: 'print environment variables that make programs use the store as their Hub',
  description: [
    'Prints shell lines that set HF_ENDPOINT to the server of this machine if one is running, else to the store. Programs started in that shell, such as transformers, vLLM, hf and llama.cpp, then download models from there; docs/recipes says what each needs.',
    'No Hugging Face token is sent to the store: the lines set HF_HUB_DISABLE_IMPLICIT_TOKEN and unset HF_TOKEN. If the store needs a token, they set HF_TOKEN to $SKULK_TOKEN. Variables that prevent requests to the store (HF_HUB_OFFLINE, MODEL_ENDPOINT, a proxy) are unset or overridden.',
    'Do not start `skulk serve` in such a shell, because it would use the store as Hugging Face. `skulk run --hf` sets the same variables for one program.',
  ],
  options: {
    shell: choice('the syntax of the lines', 'SHELL', envShells, { fallback: 'that of $SHELL' }),
  },
  examples: [
    ['bash, zsh', 'eval "$(skulk env)"'],
    ['fish', 'skulk env --shell fish | source'],
    ['another store', 'eval "$(skulk env --store http://192.168.1.10:58080)"'],
  ],
  exits: ['store-unreachable'],
  run: async ({ shell }, context) => {
    const deps = await context.deps();
    const { findEnvironment } = await import('../core/operations/programs/hub-environment.ts');
    const { isTokenInShell, ...environment } = await findEnvironment(deps);
    if (environment.takesToken && !isTokenInShell)
      context.world.emit({
        type: 'warning',
        message: 'this store needs a token, but these lines do not set one',
        hint: 'set HF_TOKEN to one of its tokens in that shell',
      });
    return {
      ...environment,
      shell: shell ?? shellOf(context.world.env['SHELL']),
      tokenIn: environment.takesToken && isTokenInShell ? 'SKULK_TOKEN' : undefined,
    };
  },
  text: (found) => envLines(found.shell, found),
  json: ({ endpoint, set, unset, takesToken, tokenIn }) => ({
    endpoint,
    set,
    unset,
    needs_token: takesToken,
    token_variable: tokenIn ?? null,
  }),
});
