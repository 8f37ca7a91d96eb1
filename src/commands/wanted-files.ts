import { choice, flag, list, value } from '../cli/definition.ts';
import { parseWantedFiles, type WantedFiles, weightsChoices } from '../core/catalog/selection/wanted-files.ts';

/** The options that select the files of a repo. */
export const wantedFilesOptions = {
  weights: choice('which weights to download from a repo with GGUF and safetensors', 'FORMAT', weightsChoices),
  include: list('download only matching files, and those that are named; * also matches /', 'GLOB'),
  exclude: list('skip matching files', 'GLOB'),
  whole: flag('download every file of the repo'),
  mmproj: value('the projector to download, as its path in the repo, or all', 'FILE|all'),
};

/**
 * The request in these options, validated like a request over HTTP.
 * @throws SkulkError BAD_REQUEST, BAD_PATH
 */
export const readWantedFiles = ({
  ggufFile,
  weights,
  include,
  exclude,
  whole,
  mmproj,
}: {
  readonly ggufFile?: string | undefined;
  readonly weights: WantedFiles['weights'];
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly whole: boolean;
  readonly mmproj: string | undefined;
}): WantedFiles =>
  parseWantedFiles({ gguf_file: ggufFile ?? null, weights: weights ?? null, include, exclude, whole, mmproj: mmproj ?? null });
