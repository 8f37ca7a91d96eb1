import { readFile, writeFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { parseManifest, totalBytes } from '../../catalog/manifest.ts';
import { digestOfTable, encodePieceTable } from '../read/piece-table.ts';
import type { AnnouncementJob, AnnouncementReply } from './read-announcement.ts';

// A manifest from outside may have 64 MB of anything. On a thread it does not block others, and its memory is bounded.
parentPort?.on('message', ({ manifest: path, table }: AnnouncementJob) => {
  read(path, table).then(
    (reply) => parentPort?.postMessage(reply),
    (error: unknown) => parentPort?.postMessage({ refused: (error as Error).message, code: (error as { code?: string }).code }),
  );
});

async function read(path: string, table: string): Promise<AnnouncementReply> {
  const { model_id, digest, files } = parseManifest(JSON.parse(await readFile(path, 'utf8')), 'the client');
  const { bytes, pieces } = encodePieceTable(files);
  await writeFile(table, bytes, { flag: 'wx' });
  return { model_id, digest, files: files.length, pieces, bytes: totalBytes(files), table: digestOfTable(bytes) };
}
