import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';
import { findProgram, isInForeground, type ProgramOutput, sentByTerminal, startProgram } from '../../kernel/process/child-program.ts';
import type { HubEndpoint } from './find-endpoint.ts';
import { findHub, mayHelp, planEnvironment } from './hub-environment.ts';

/** The input of `skulk run --hf`. */
export interface HubRunRequest {
  readonly ref: ModelRef;
  /** The program and its arguments, in which `{model}` is replaced. */
  readonly command: readonly string[];
  readonly output?: ProgramOutput | undefined;
  readonly takeSignals: (listener: (signal: NodeJS.Signals) => void) => () => void;
}

/** `{{` is an escaped brace. */
const words = /\{\{|\{(path|gguf|mmproj|draft|model)\}/g;

/**
 * Runs a program that uses the store as its Hub. Nothing is staged.
 * @returns the program's exit status, 128 + n after a signal
 * @throws SkulkError COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE; USAGE for a placeholder of a staged file; TOKEN_WITHHELD if the store
 * requires a token that may not be sent there; those of `findHub`
 */
export async function runWithHub(deps: Deps, request: HubRunRequest): Promise<{ readonly status: number }> {
  const { world, config } = deps;
  const { ref, command, output, takeSignals } = request;
  const program = findProgram(command[0] ?? '', world);
  const args = command.slice(1).map((text) => fillIn(text, ref));
  const hub = await findHub(deps);
  const token = tokenFor(hub, config.settings.token.value);
  const { set, unset } = planEnvironment({ address: hub.address, takesToken: token !== undefined }, world.env);
  const env: NodeJS.ProcessEnv = { ...world.env, ...set, ...(token !== undefined && { HF_TOKEN: token }), SKULK_MODEL_ID: ref.modelId };
  for (const name of [...unset, 'SKULK_MODEL_PATH', 'SKULK_GGUF_FILE', 'SKULK_MMPROJ_FILE']) delete env[name];
  world.emit({ type: 'note', message: `${formatRef(ref)}: the program asks ${hub.address}` });
  if (world.signal.aborted) throw world.signal.reason;
  const child = await startProgram(program, args, { env, cwd: world.cwd, output });
  const releaseSignals = takeSignals((signal) => {
    if (!sentByTerminal.has(signal) || !isInForeground()) child.kill(signal);
  });
  try {
    child.proceed();
    return { status: await child.status };
  } finally {
    releaseSignals();
  }
}

/** The token that the program gets instead of a Hugging Face token; undefined if it needs none. */
function tokenFor(hub: HubEndpoint, token: string | undefined): string | undefined {
  if (!hub.needsToken) return mayHelp(hub, token) ? token : undefined;
  if (token === undefined)
    throw new SkulkError('UNAUTHORIZED', `the store at ${hub.address} requires a token`, {
      hint: ['set SKULK_TOKEN; `skulk token create NAME --role read` on the store host makes one', hub.withheld?.hint ?? []]
        .flat()
        .join('; '),
    });
  if (hub.withheld !== undefined) throw hub.withheld;
  return token;
}

const fillIn = (text: string, ref: ModelRef): string =>
  text.replaceAll(words, (_, name?: string) => {
    if (name === undefined) return '{';
    if (name === 'model') return ref.modelId;
    throw new SkulkError('USAGE', `with --hf nothing is staged, so {${name}} has no value`, {
      hint: 'use {model}, or omit --hf',
    });
  });
