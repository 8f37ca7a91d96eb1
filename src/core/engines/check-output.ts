import { describeProblem, type FileOnDisk, findContentProblems } from '../catalog/contents/find-content-problems.ts';
import { kindsOf } from '../catalog/selection/file-kind.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { Engine, EnginePlan } from './contract.ts';
import { safetensorsOf } from './safetensors-source.ts';

/** If the result has this factor more bits than requested, the engine did something else. */
const tolerance = 1.25;
/** Engines print sizes in hundredths of a mebibyte. */
const roundingBytes = 32 * 1024;

/**
 * Checks an engine's result: exit status 0 is not enough. There must be weights files, every one complete. Their size must match the
 * bits, and the bits must match the request.
 * @param bits per weight, as reported by the engine
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
    throw new SkulkError('INTEGRITY', `${engine.name} reported success, but its result is not usable: ${why}`, {
      hint: 'nothing was added to the store; run the engine yourself on the store host for details',
    });
  };
  const weights = plan.isGguf ? ggufOf(files) : safetensorsOf(files);
  if (weights.length === 0) return refuse('it has no weights');
  const [problem] = await findContentProblems(files, signal);
  if (problem !== undefined) return refuse(describeProblem(problem));
  if (!plan.isGguf && !files.some(({ path }) => path === 'config.json')) return refuse('there is no config.json');
  if (bits === undefined) return refuse('it did not report the bits per weight');
  if (bits > plan.bits * tolerance) return refuse(`it has ${bits} bits per weight instead of ${plan.bits}`);
  const size = weights.reduce((sum, one) => sum + one.size, 0);
  // A truncated file is smaller than the size that the engine computed.
  if (plan.isExact && size < plan.bytes * 0.99 - roundingBytes) return refuse(`its weights have ${size} bytes instead of ${plan.bytes}`);
}

function ggufOf(files: readonly FileOnDisk[]): readonly FileOnDisk[] {
  const kinds = kindsOf(files.map(({ path }) => path));
  return files.filter(({ path }) => kinds.get(path) === 'gguf');
}
