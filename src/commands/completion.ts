import { argument, defineCommand, variadic } from '../cli/definition.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
const lists = ['models', 'nodes', 'tags'] as const;

/** `skulk completion`: a script that completes commands and flags, and the lists of words for it. */
export const completion = defineCommand({
  name: 'completion',
  summary: 'print a completion script for a shell',
  description: [
    'Prints a script that completes commands, flags, models, quantizations (org/name:), nodes and tags. For names, the script runs commands such as `skulk completion models PREFIX`, which print the words that begin with PREFIX. If the store does not answer within 1.5 seconds, no names are offered.',
  ],
  arguments: {
    shell: argument('the shell, or the list to print', { choices: [...shells, ...lists] }),
    prefix: variadic('the prefix to complete', { parse: (text) => text, optional: true, mayBeEmpty: true }),
  },
  examples: [
    ['bash, in ~/.bashrc', 'source <(skulk completion bash)'],
    ['zsh, in ~/.zshrc', 'source <(skulk completion zsh)'],
    ['fish', 'skulk completion fish > ~/.config/fish/completions/skulk.fish'],
  ],
  exits: [],
  run: async ({ shell, prefix: [prefix = ''] }, context) => {
    const kind = lists.find((list) => list === shell);
    if (kind === undefined) return { shell, script: await context.completionScript(shell) };
    const deps = await context.deps();
    const { suggestWords } = await import('../core/operations/models/suggest-words.ts');
    return { words: await suggestWords(deps, { kind, prefix }) };
  },
  text: (result) => ('words' in result ? result.words : result.script.split('\n')),
});
