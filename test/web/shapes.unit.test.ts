import { expectTypeOf, test } from 'vitest';
import type { NamedToken } from '../../src/core/access/token-book.ts';
import type { Policy } from '../../src/core/config/policy.ts';
import type { GivenOrder, KnownNode } from '../../src/core/fleet/contract.ts';
import type { DownloadStatus } from '../../src/core/jobs/contract.ts';
import type { Role } from '../../src/core/kernel/role.ts';
import type { HubOffer } from '../../src/core/operations/models/look-at-hub.ts';
import type { ShownModel } from '../../src/core/operations/models/show-model.ts';
import type { StagingList } from '../../src/core/operations/nodes/list-staging.ts';
import type { PurgedEverywhere } from '../../src/core/operations/nodes/purge-everywhere.ts';
import type { BrowsedDirectory } from '../../src/core/operations/settings/browse-directories.ts';
import type { ConfigView } from '../../src/core/operations/settings/change-config.ts';
import type { StagingJob } from '../../src/core/operations/stage/staging-kind.ts';
import type { PolicyView } from '../../src/core/operations/store/store-policy.ts';
import type { Asker } from '../../src/core/server/access/access.ts';
import type { healthAnswer } from '../../src/core/server/routes/health-answer.ts';
import type { NodeIdentity } from '../../src/core/server/routes/node-routes.ts';
import type { DescribedEntry, ListedUpload, VerifyReport } from '../../src/core/store/contract.ts';
import type * as page from '../../web/api/shapes.ts';

// The compiler does the work: what the page reads must be in what the server answers.
test('the page reads nothing that the server does not answer', () => {
  expectTypeOf<Omit<DescribedEntry, 'files'> & { readonly file_count: number }>().toExtend<page.Entry>();
  expectTypeOf<DownloadStatus>().toExtend<page.Download>();
  expectTypeOf<KnownNode>().toExtend<page.StoreNode>();
  expectTypeOf<GivenOrder>().toExtend<page.Order>();
  expectTypeOf<StagingList & { readonly problem: string | null }>().toExtend<page.Storage>();
  expectTypeOf<StagingJob>().toExtend<page.StagingJob>();
  expectTypeOf<ConfigView>().toExtend<page.ConfigView>();
  expectTypeOf<ReturnType<typeof healthAnswer>>().toExtend<page.Health>();
  expectTypeOf<NodeIdentity>().toExtend<page.Identity>();
  expectTypeOf<
    Pick<Asker, 'credential' | 'name'> & { readonly role: Role; readonly store_role: Role | 'none'; readonly lan: Policy['lan'] }
  >().toExtend<page.Session>();
  expectTypeOf<ListedUpload>().toExtend<page.Upload>();
  expectTypeOf<PolicyView>().toExtend<page.PolicyView>();
  expectTypeOf<NamedToken>().toExtend<page.NamedToken>();
  expectTypeOf<HubOffer>().toExtend<page.HubOffer>();
  expectTypeOf<ShownModel>().toExtend<page.ShownModel>();
  expectTypeOf<VerifyReport>().toExtend<page.VerifyReport>();
  expectTypeOf<PurgedEverywhere>().toExtend<page.Purged>();
  expectTypeOf<BrowsedDirectory>().toExtend<page.Browsed>();
});
