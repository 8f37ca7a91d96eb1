import { kindsOf } from '../catalog/selection/file-kind.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { EngineRequest, SourceFile } from './contract.ts';

/** The safetensors files of a model, which the MLX engines read. */
export function safetensorsOf(files: readonly SourceFile[]): readonly SourceFile[] {
  const kinds = kindsOf(files.map(({ path }) => path));
  return files.filter(({ path }) => kinds.get(path) === 'safetensors');
}

/** Whether an MLX engine can read these files, or why not. */
export function acceptsSafetensors(files: readonly SourceFile[]): true | string {
  if (safetensorsOf(files).length === 0) return 'it has no safetensors weights';
  return files.some(({ path }) => path === 'config.json') ? true : 'it has no config.json';
}

/** The weights of a source that is read as a directory. Throws BAD_REQUEST for a part of a model. */
export function readWhole({ files, selector }: EngineRequest): { readonly sourceFiles: readonly string[]; readonly sourceBytes: number } {
  if (selector !== undefined)
    throw new SkulkError('BAD_REQUEST', `${selector} selects GGUF weights, which this engine cannot read`, {
      hint: 'name the model without a selector, or use --engine llama',
    });
  const weights = safetensorsOf(files);
  return { sourceFiles: weights.map(({ path }) => path), sourceBytes: weights.reduce((sum, { size }) => sum + size, 0) };
}

/** Bits per weight of nearly every unquantized model in safetensors format. */
export const usualSourceBits = 16;
