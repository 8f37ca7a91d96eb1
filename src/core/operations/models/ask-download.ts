import { isParticular } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { isPythonHost } from '../../connect/is-python-host.ts';
import type { OpenedStore } from '../../connect/open-store.ts';
import type { DownloadRequest } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';

/**
 * Requests a model from Hugging Face. The Python program ignores unknown options, so it only gets those it supports: a quantization is
 * resolved here, and everything else is rejected.
 * @throws SkulkError USAGE for options that the store host does not support, CONFLICT for another quantization of a model that it has; as
 * `Downloads.ask`
 */
export async function askDownload(deps: Deps, opened: OpenedStore, request: DownloadRequest): Promise<DownloadStatus> {
  const downloads = await opened.downloads();
  const isOther = opened.url !== undefined || deps.store !== undefined;
  if (!isOther || !(await isPythonHost(opened))) return await downloads.ask(request);
  const { modelId, revision, selector, ggufFile, ...wanted } = request;
  const cannot = (what: string): SkulkError =>
    new SkulkError('USAGE', `the store at ${opened.store.location} is the Python program, which cannot ${what}`, {
      hint: 'omit that option, or download with `skulk stage --direct`',
    });
  if (revision !== undefined) throw cannot('download a specific revision');
  if (isParticular(wanted) || wanted.strict === true) throw cannot('download files other than those that it chooses');
  if (selector === undefined && ggufFile === undefined) return await downloads.ask({ modelId });
  const { inspectHub } = await import('./inspect-hub.ts');
  const { plan } = await inspectHub(deps, { modelId, wanted: { selector, ggufFile, exact: true }, signal: deps.world.signal });
  const file = plan?.gguf_file ?? undefined;
  if (file === undefined) throw cannot('choose among weights that are not GGUF');
  const present = (await opened.store.listModels()).find(({ model_id }) => model_id === modelId);
  if (present === undefined || present.files.includes(file)) return await downloads.ask({ modelId, ggufFile: file });
  throw new SkulkError(
    'CONFLICT',
    `the store at ${opened.store.location} has ${modelId} without ${quote(file)}, and does not add to a model`,
    {
      hint: `the Python program keeps one quantization of a model; \`skulk delete ${modelId}\` first, or use \`skulk stage --direct\``,
    },
  );
}
