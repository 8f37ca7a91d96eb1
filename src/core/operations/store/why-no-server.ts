import { isRecordHidden, serveRecordFile } from '../../access/serve-record.ts';
import type { Deps } from '../../connect/deps.ts';
import { mayDiscover } from '../../connect/may-use-mdns.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { nameOfUser, ownerOf } from '../../kernel/machine/owner-of.ts';
import { findPortOwner } from '../../kernel/process/port-owner.ts';
import { session } from '../../protocol/access.ts';
import { callOf } from '../../protocol/routes/call.ts';
import { callLocalServer } from './call-local-server.ts';

/**
 * Explains why this user cannot use the server of this machine, although one runs: it belongs to another user, or has another SKULK_HOME.
 * @param command the command to run as that user
 * @returns undefined if no such server was found
 */
export async function whyNoServer(deps: Deps, command: string): Promise<SkulkError | undefined> {
  const { config, world } = deps;
  const file = serveRecordFile(config.skulkHome);
  if (await isRecordHidden(config.skulkHome)) {
    const owner = await nameOfUser((await ownerOf(file)) ?? (await ownerOf(config.skulkHome)));
    return new SkulkError('PERMISSION', `${file} belongs to ${owner ?? 'another user'}, and ${world.user()} cannot read it`, {
      hint: hintFor(owner, command),
    });
  }
  const port = config.settings.apiPort.value;
  const url = `http://127.0.0.1:${port}`;
  if (!mayDiscover(deps) || port === 0 || !(await isServer(deps, url))) return undefined;
  const uid = (await findPortOwner(port))?.uid;
  const isOther = uid !== undefined && uid !== process.geteuid?.();
  const owner = isOther ? await nameOfUser(uid) : undefined;
  const whose = isOther ? `belongs to ${owner ?? 'another user'}` : `uses another directory than ${config.skulkHome}`;
  return new SkulkError('PERMISSION', `the server at ${url} ${whose}, so ${world.user()} cannot read its key`, {
    hint: `${
      uid !== undefined && !isOther ? `run \`${command}\` with its SKULK_HOME` : hintFor(owner, command)
    }; without admin rights, open ${url} in a browser`,
  });
}

const hintFor = (owner: string | undefined, command: string): string => `run it as that user: sudo -u ${owner ?? 'USER'} -H ${command}`;

/** Whether a skulk server answers, even if it requires a token. */
async function isServer({ world }: Deps, url: string): Promise<boolean> {
  const call = callOf('GET /session', {});
  try {
    await callLocalServer(world, { url, call, answer: session, why: 'it is not skulk', stallTimeoutMs: 2_000, connectTimeoutMs: 1_000 });
    return true;
  } catch (error) {
    return error instanceof SkulkError && (error.code === 'UNAUTHORIZED' || error.code === 'FORBIDDEN');
  }
}
