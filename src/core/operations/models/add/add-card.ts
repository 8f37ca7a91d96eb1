import { readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cardNames, installedCard, requireCard } from '../../../catalog/read-card.ts';
import { isSystemError, SkulkError } from '../../../kernel/errors.ts';
import { writeFileDurably } from '../../../kernel/files/durable-file.ts';
import { parseRelativePath } from '../../../kernel/files/relative-path.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { Scan, ScannedFile } from '../../../store/ingest/scan-directory.ts';

/**
 * The card to add as a file of the model: the named one, else the one that the Python program kept beside the files.
 * @throws SkulkError FILE_NOT_FOUND; USAGE for an invalid named card
 */
export async function findCardToAdd(
  { card, modelId }: { readonly card?: string | undefined; readonly modelId: ModelId },
  { source, scan, cwd }: { readonly source: string; readonly scan: Scan; readonly cwd: string },
): Promise<ScannedFile | undefined> {
  const names = cardNames(modelId);
  if (card !== undefined) {
    const absolute = resolve(cwd, card);
    await requireCard(absolute, modelId);
    return toFile(absolute, absolute.endsWith('.json') ? names.record : names.text);
  }
  if (scan.files.some(({ path }) => path === names.text || path === names.record)) return undefined;
  const kept = join(source, installedCard);
  try {
    await requireCard(kept, modelId);
    return await toFile(kept, names.record);
  } catch (error) {
    // A card of another model, of a companion, or a damaged one is not needed.
    if (error instanceof SkulkError) return undefined;
    throw error;
  }
}

/** The files to add, with the card. A file with its name is replaced. */
export function withCard({ files, skipped }: Scan, card: ScannedFile | undefined): Scan {
  if (card === undefined) return { files, skipped };
  return {
    files: [...files.filter(({ path }) => path !== card.path), card],
    skipped: skipped.filter(({ path }) => path !== '.skulk' && path !== installedCard),
  };
}

/** A card written into a directory of the store. Unless it is kept, it is removed again, and a card that it replaced is restored. */
interface WrittenCard extends AsyncDisposable {
  keep(): void;
}

/** @throws SkulkError CONFLICT if there is another card, unless forced */
export async function adoptedCard(
  card: ScannedFile | undefined,
  { source, force }: { readonly source: string; readonly force: boolean },
): Promise<WrittenCard> {
  const path = card === undefined ? undefined : join(source, card.path);
  const before = path === undefined ? undefined : await readOrNothing(path);
  const content = card === undefined || path === card.absolute ? undefined : await readFile(card.absolute);
  const isNew = path !== undefined && content !== undefined && before?.equals(content) !== true;
  if (isNew && before !== undefined && !force)
    throw new SkulkError('CONFLICT', `${path} exists, and is a different card`, { hint: 'replace it with --force' });
  if (isNew) await writeFileDurably(path, content);
  let isKept = false;
  return {
    keep: () => {
      isKept = true;
    },
    [Symbol.asyncDispose]: async () => {
      if (!isNew || isKept) return;
      if (before === undefined) await rm(path, { force: true });
      else await writeFileDurably(path, before);
    },
  };
}

/** Marked as a link, so that a move copies it and leaves it in its place. */
const toFile = async (absolute: string, name: string): Promise<ScannedFile> => ({
  path: parseRelativePath(name),
  absolute,
  size: (await stat(absolute)).size,
  isLink: true,
});

async function readOrNothing(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
