import { constants } from 'node:fs';
import { access, lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { findClash } from '../../catalog/manifest.ts';
import { whyNotModelFile } from '../../catalog/model-files.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { parseRelativePath, quote, type RelativePath } from '../../kernel/files/relative-path.ts';

/** A found file, with the real path of its content. */
export interface ScannedFile {
  readonly path: RelativePath;
  readonly absolute: string;
  readonly size: number;
  /** Whether `absolute` is a symbolic link (to another file of the same directory). */
  readonly isLink: boolean;
}

/** The content of a directory or a single file. */
export interface Scan {
  readonly files: readonly ScannedFile[];
  readonly skipped: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Lists the files of a model below a path, or the path itself if it is a file.
 * @throws SkulkError BAD_PATH for links that leave the directory, sockets, devices, impossible names; FILE_NOT_FOUND if the path is
 * missing; PERMISSION if something is unreadable; USAGE if it is empty
 */
export async function scanDirectory(path: string): Promise<Scan> {
  const info = await stat(path).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR'))
      throw new SkulkError('FILE_NOT_FOUND', `${path} does not exist`, { hint: 'check the path', cause: error });
    throw unreadable(error, path);
  });
  if (info.isFile()) {
    const why = whyNotModelFile(basename(path));
    if (why !== undefined)
      throw new SkulkError('USAGE', `${path} is not a file of a model: it is ${why}`, { hint: 'use the path of a model' });
    await checkReadable(path);
    return {
      files: [{ path: parseRelativePath(basename(path)), absolute: path, size: info.size, isLink: (await lstat(path)).isSymbolicLink() }],
      skipped: [],
    };
  }
  if (!info.isDirectory()) throw special(path);
  const files: ScannedFile[] = [];
  const skipped: { path: string; why: string }[] = [];
  await walk(path, '', await realpath(path), files, skipped);
  if (files.length === 0) throw new SkulkError('USAGE', `${path} contains no files`, { hint: 'use the directory that contains the model' });
  const clash = findClash(files.map((file) => file.path));
  if (clash !== undefined) throw new SkulkError('BAD_PATH', `${path}: ${clash}`);
  return { files, skipped };
}

async function walk(
  root: string,
  below: string,
  realRoot: string,
  files: ScannedFile[],
  skipped: { path: string; why: string }[],
): Promise<void> {
  const items = await readdir(join(root, below), { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) => {
    throw unreadable(error, join(root, below));
  });
  for (const item of items) {
    const name = item.name.toString('utf8');
    if (!Buffer.from(name).equals(item.name))
      throw new SkulkError('BAD_PATH', `${join(root, below)} has a file whose name is not UTF-8: ${quote(name)}`, { hint: 'rename it' });
    const path = below === '' ? name : `${below}/${name}`;
    const why = whyNotModelFile(item.isDirectory() ? `${path}/` : path);
    if (why !== undefined) {
      skipped.push({ path, why });
      continue;
    }
    const absolute = join(root, path);
    if (item.isDirectory()) await walk(root, path, realRoot, files, skipped);
    else if (item.isFile()) files.push(await describeFile(absolute, path, false));
    else if (item.isSymbolicLink()) files.push(await followLink(absolute, path, realRoot));
    else throw special(absolute);
  }
}

async function describeFile(absolute: string, path: string, isLink: boolean): Promise<ScannedFile> {
  await checkReadable(absolute);
  return { path: parseRelativePath(path), absolute, size: (await stat(absolute)).size, isLink };
}

async function followLink(absolute: string, path: string, realRoot: string): Promise<ScannedFile> {
  const target = await realpath(absolute).catch((error: unknown) => {
    throw new SkulkError('BAD_PATH', `${absolute} is a broken symbolic link`, { hint: 'remove it', cause: error });
  });
  if (!target.startsWith(realRoot + sep)) {
    throw new SkulkError('BAD_PATH', `${absolute} is a symbolic link to a target outside the directory: ${target}`, {
      hint: `copy the files behind the links first: cp -rL ${dirname(absolute)} …`,
    });
  }
  if (!(await stat(target)).isFile())
    throw new SkulkError('BAD_PATH', `${absolute} is a symbolic link to something that is not a file`, {
      hint: 'replace the link with the files',
    });
  return describeFile(absolute, path, true);
}

async function checkReadable(path: string): Promise<void> {
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw unreadable(error, path);
  });
}

function unreadable(error: unknown, path: string): unknown {
  return isSystemError(error, 'EACCES', 'EPERM')
    ? new SkulkError('PERMISSION', `${path} cannot be read: permission denied`, { hint: 'check its owner and mode', cause: error })
    : error;
}

const special = (path: string): SkulkError =>
  new SkulkError('BAD_PATH', `${path} is a socket, a pipe or a device`, { hint: 'a model is made of ordinary files' });

/** Like `scanDirectory`, but returns undefined instead of throwing. */
export const scanOrNothing = (path: string): Promise<Scan | undefined> => scanDirectory(path).catch(() => undefined);
