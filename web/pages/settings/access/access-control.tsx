import { type ReactElement, useEffect } from 'react';
import type { PolicyView } from '../../../../src/core/protocol/settings.ts';
import { callOf } from '../../../api/call.ts';
import { useMayAdminister } from '../../../parts/access/needs-key.tsx';
import { useApp, useIsPythonHost, useStore } from '../../../parts/app-context.ts';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { PolicyForm } from './policy-form.tsx';
import { Tokens } from './tokens.tsx';

/** Access control of the store: the rights of the LAN, the names of the store, and the named tokens. They are changed at the store host. */
export function AccessControl(): ReactElement {
  const { identity } = useApp();
  const { topics } = useStore();
  const isAdmin = useMayAdminister();
  const isPython = useIsPythonHost();
  const host = topics.health?.hostname;
  return (
    <section className="card access-control" aria-labelledby="access-control">
      <h2 id="access-control">Access control</h2>
      {identity.role === 'store' ? (
        <>
          <Policy />
          {isAdmin && <Tokens />}
        </>
      ) : (
        <p className="muted">
          {isPython
            ? 'The store host is the Python Skulk, which has no access control.'
            : `Access is set on the store host. Change it in the settings of ${host || 'the store host'}.`}
        </p>
      )}
    </section>
  );
}

function Policy(): ReactElement | null {
  const { client } = useApp();
  const { start, result, error } = useTask<PolicyView>();
  useEffect(() => void start((signal) => client.get<PolicyView>(callOf('GET /policy', {}), signal)), [client, start]);
  if (error !== undefined) return <Problem error={error} />;
  // The form starts again with the data of the server after a change.
  return result === undefined ? null : <PolicyForm key={JSON.stringify(result.policy)} view={result} />;
}
