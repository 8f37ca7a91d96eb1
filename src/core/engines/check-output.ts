import { describeProblem, type FileOnDisk, findContentProblems } from '../catalog/contents/find-content-problems.ts';
import { kindsOf } from '../catalog/selection/file-kind.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { Engine, EnginePlan } from './contract.ts';
import { safetensorsOf } from './safetensors-source.ts';

/** More bits than were asked for by so much mean that the engine did something else. */
const tolerance = 1.25;
/** Engines print sizes in hundredths of a mebibyte. */
const roundingBytes = 32 * 1024;

/**
 * Checks what an engine left: that it ended with status 0 is not enough. Every weights file must be whole, there must be some, their
 * size must fit the bits, and the bits what was asked for.
 * @param bits for each weight, as the engine says
 * @throws SkulkError INTEGRITY
 */
export async function checkOutput(
  files: readonly FileOnDisk[],
  {
    engine,
    plan,
    bits,
    signal,
  }: { readonly engine: Engine; readonly plan: EnginePlan; readonly bits: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const refuse = (why: string): never => {
    throw new SkulkError('INTEGRITY', `${engine.name} ended well, but its result cannot be used: ${why}`, {
      hint: 'nothing was published; run the engine by hand to see more',
    });
  };
  const weights = plan.isGguf ? ggufOf(files) : safetensorsOf(files);
  if (weights.length === 0) return refuse('there are no weights');
  const [problem] = await findContentProblems(files, signal);
  if (problem !== undefined) return refuse(describeProblem(problem));
  if (!plan.isGguf && !files.some(({ path }) => path === 'config.json')) return refuse('there is no config.json');
  if (bits === undefined) return refuse('it does not say how many bits a weight has');
  if (bits > plan.bits * tolerance) return refuse(`a weight has ${bits} bits, and ${plan.bits} were asked for`);
  const size = weights.reduce((sum, one) => sum + one.size, 0);
  // A file that was cut off is smaller than the engine has computed.
  if (plan.isExact && size < plan.bytes * 0.99 - roundingBytes)
    return refuse(`its weights have ${size} bytes, and it computed ${plan.bytes}`);
}

function ggufOf(files: readonly FileOnDisk[]): readonly FileOnDisk[] {
  const kinds = kindsOf(files.map(({ path }) => path));
  return files.filter(({ path }) => kinds.get(path) === 'gguf');
}
