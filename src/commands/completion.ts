import { argument, defineCommand } from '../cli/definition.ts';

/** `skulk completion`: a script that completes commands and flags. */
export const completion = defineCommand({
  name: 'completion',
  summary: 'print a completion script for a shell',
  description: ['Prints a script that completes commands, flags and their choices.'],
  arguments: { shell: argument('the shell', { choices: ['bash', 'zsh', 'fish'] }) },
  examples: [
    ['bash, in ~/.bashrc', 'source <(skulk completion bash)'],
    ['zsh, in ~/.zshrc', 'source <(skulk completion zsh)'],
    ['fish', 'skulk completion fish > ~/.config/fish/completions/skulk.fish'],
  ],
  exits: [],
  run: async ({ shell }, context) => ({ shell, script: await context.completionScript(shell) }),
  text: ({ script }) => script.split('\n'),
});
