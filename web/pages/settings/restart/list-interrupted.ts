import type { NodeTopics, StoreTopics } from '../../../../src/core/protocol/events.ts';
import { plural } from '../../../parts/format.ts';

/**
 * What a restart of a server interrupts, and what continues it, as sentences. Pure.
 * @param store the topics of the store whose server restarts; empty for a node
 */
export function listInterrupted(
  { downloads, uploads, optimizations }: Partial<StoreTopics>,
  { staging }: Partial<NodeTopics>,
): readonly string[] {
  const running = countRunning(downloads?.downloads);
  const sending = uploads?.uploads.length ?? 0;
  const making = countRunning(optimizations?.optimizations);
  const stages = countRunning(staging?.jobs);
  return [
    ...(running > 0
      ? [`${plural(running, 'download')} from Hugging Face ${running === 1 ? 'pauses and continues' : 'pause and continue'}.`]
      : []),
    ...(sending > 0
      ? [
          `${plural(sending, 'upload')} ${sending === 1 ? 'waits and resumes' : 'wait and resume'} where ${sending === 1 ? 'it' : 'they'} stopped.`,
        ]
      : []),
    ...(making > 0 ? [`${plural(making, 'optimization')} ${making === 1 ? 'starts' : 'start'} again from the beginning.`] : []),
    ...(stages > 0
      ? [`${plural(stages, 'copy', 'copies')} to this machine ${stages === 1 ? 'stops' : 'stop'}. Stage again to resume.`]
      : []),
  ];
}

const countRunning = (jobs: readonly { readonly status: string }[] = []): number =>
  jobs.filter(({ status }) => status !== 'complete' && status !== 'failed').length;
