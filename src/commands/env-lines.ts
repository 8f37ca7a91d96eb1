/** The shells whose syntax `skulk env` supports; bash, zsh and ksh are `sh`. */
export const envShells = ['sh', 'fish', 'csh', 'powershell'] as const;
export type EnvShell = (typeof envShells)[number];

interface Syntax {
  readonly quote: (text: string) => string;
  readonly set: (name: string, value: string) => string;
  readonly unset: (name: string) => string;
  /** The value of a variable. */
  readonly valueOf: (name: string) => string;
}

const syntaxes: Readonly<Record<EnvShell, Syntax>> = {
  sh: {
    quote: (text) => `'${text.replaceAll("'", "'\\''")}'`,
    set: (name, value) => `export ${name}=${value}`,
    unset: (name) => `unset ${name}`,
    valueOf: (name) => `"$${name}"`,
  },
  fish: {
    quote: (text) => `'${text.replaceAll(/[\\']/g, '\\$&')}'`,
    set: (name, value) => `set -gx ${name} ${value}`,
    unset: (name) => `set -e ${name}`,
    valueOf: (name) => `"$${name}"`,
  },
  csh: {
    // Its history expansion also applies inside quotes.
    quote: (text) => `'${text.replaceAll("'", "'\\''").replaceAll('!', '\\!')}'`,
    set: (name, value) => `setenv ${name} ${value}`,
    unset: (name) => `unsetenv ${name}`,
    valueOf: (name) => `"$${name}"`,
  },
  powershell: {
    // It also treats some other quotation marks as its own.
    quote: (text) => `'${text.replaceAll(/['\u2018-\u201b]/g, '$&$&')}'`,
    set: (name, value) => `$env:${name} = ${value}`,
    unset: (name) => `Remove-Item Env:${name} -ErrorAction SilentlyContinue`,
    valueOf: (name) => `$env:${name}`,
  },
};

/**
 * Lines for a shell to evaluate: variables to set and to unset, and HF_TOKEN from the variable with the token. Every value is quoted.
 * Pure.
 */
export function envLines(
  shell: EnvShell,
  {
    set,
    unset,
    tokenIn,
  }: { readonly set: Readonly<Record<string, string>>; readonly unset: readonly string[]; readonly tokenIn: string | undefined },
): readonly string[] {
  const syntax = syntaxes[shell];
  return [
    ...Object.entries(set).map(([name, value]) => syntax.set(name, syntax.quote(value))),
    ...(tokenIn === undefined ? [] : [syntax.set('HF_TOKEN', syntax.valueOf(tokenIn))]),
    ...unset.map(syntax.unset),
  ];
}

/** The shell in SHELL. */
export function shellOf(path: string | undefined): EnvShell {
  const name = (path ?? '').replace(/^.*\//, '');
  if (name === 'fish') return 'fish';
  if (name === 'pwsh' || name === 'powershell') return 'powershell';
  return name === 'csh' || name === 'tcsh' ? 'csh' : 'sh';
}
