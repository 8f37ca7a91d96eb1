import { expect, test } from 'vitest';
import type { ActivityEntry } from '../../src/core/protocol/events.ts';
import { createJobEnds, type JobEnds } from '../../src/core/server/access/job-ends.ts';

type Entry = Omit<ActivityEntry, 'at'>;

const began = '2026-06-15T12:00:00.000Z';
const [before, after] = ['2026-06-15T11:00:00.000Z', '2026-06-15T13:00:00.000Z'];
const asks = (who: string, job = 'a'): Entry => ({
  who,
  from: '10.0.0.2',
  node: null,
  action: 'download',
  model_id: 'org/m',
  selector: 'Q4_K_M',
  target: null,
  code: null,
  state: 'accepted',
  job,
});
const endOf = (who: string, code: string | null): Entry => ({ ...asks(who), code, state: 'ended' });

/** @param logged entries of earlier servers, oldest first */
function ends(logged: readonly Entry[] = []): JobEnds & { readonly written: Entry[] } {
  const written: Entry[] = [];
  const made: JobEnds = createJobEnds({
    began,
    record: (entry) => {
      written.push(entry);
      made.recorded(entry);
    },
    find: async (job) => logged.map((entry) => ({ ...entry, at: before })).find((entry) => entry.job === job),
  });
  return { ...made, written };
}

test('the end of a job is one entry in the name of the first client that asked, however many joined it', async () => {
  const { recorded, ended, written } = ends();
  for (const who of ['token anna', 'token ben', 'token anna']) recorded(asks(who));
  recorded(asks('token carl', 'another'));
  await ended({ job: 'a', createdAt: after, code: 'HUB_REFUSED' });
  expect(written).toEqual([endOf('token anna', 'HUB_REFUSED')]);
  // The answer to a request that joined it was still on its way.
  recorded(asks('token dora'));
  expect(written).toHaveLength(1);
});

test('the end of a job is recorded after its request, even if the job ends first', async () => {
  const { recorded, ended, written } = ends();
  await ended({ job: 'a', createdAt: after, code: null });
  expect(written).toEqual([]);
  recorded(asks('token anna'));
  recorded(asks('token ben'));
  expect(written).toEqual([endOf('token anna', null)]);
});

test('a job of an earlier server ends in the name of the client that the log says, not of one that joined it later', async () => {
  const { recorded, ended, written } = ends([asks('token anna')]);
  recorded(asks('token ben'));
  await ended({ job: 'a', createdAt: before, code: null });
  expect(written).toEqual([endOf('token anna', null)]);
});

test('a job that was cancelled, or that nobody asked for, has no entry for its end', async () => {
  const { recorded, ended, written } = ends();
  recorded(asks('token anna'));
  await ended({ job: 'a', createdAt: after, code: 'CANCELLED' });
  await ended({ job: 'b', createdAt: before, code: 'HUB_REFUSED' });
  recorded(asks('token ben'));
  expect(written).toEqual([]);
});
