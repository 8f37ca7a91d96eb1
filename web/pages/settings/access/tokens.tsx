import { type ReactElement, useCallback, useEffect, useState } from 'react';
import type { NamedToken } from '../../../../src/core/protocol/access.ts';
import { callOf } from '../../../api/call.ts';
import { Age } from '../../../parts/age.tsx';
import { useApp } from '../../../parts/app-context.ts';
import { IconButton } from '../../../parts/button.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { CreateToken } from './create-token.tsx';
import { RevokeDialog } from './revoke-dialog.tsx';

/** The named tokens: the list, a new one, and revoking one. */
export function Tokens(): ReactElement {
  const { client } = useApp();
  const { start, result, error } = useTask<readonly NamedToken[]>();
  const [tokens, setTokens] = useState<readonly NamedToken[]>();
  const [revoking, setRevoking] = useState<NamedToken>();
  const read = useCallback(
    () =>
      void start(
        async (signal) => (await client.get<{ readonly tokens: readonly NamedToken[] }>(callOf('GET /tokens', {}), signal)).tokens,
      ),
    [client, start],
  );
  useEffect(read, [read]);
  // The old list stays visible while it is requested again.
  useEffect(() => {
    if (result !== undefined) setTokens(result);
  }, [result]);
  return (
    <section className="stack tokens-part" aria-labelledby="tokens">
      <h3 id="tokens">Tokens</h3>
      <p className="muted">Set a token on a machine with SKULK_TOKEN or --token. Tokens do not change what the LAN may do without one.</p>
      {error !== undefined && <Problem error={error} />}
      {tokens !== undefined && tokens.length === 0 && <p className="muted">There are no tokens.</p>}
      {tokens !== undefined && tokens.length > 0 && (
        <table className="list tokens">
          <caption className="visually-hidden">Tokens of the store</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Role</th>
              <th scope="col">Created</th>
              <th scope="col" className="actions">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <tr key={token.name}>
                <th scope="row" className="path">
                  {token.name}
                </th>
                <td>{token.role}</td>
                <td>
                  <Age at={token.created_at} />
                </td>
                <td className="actions">
                  <IconButton icon="trash" label={`Revoke the token ${token.name}`} onClick={() => setRevoking(token)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <CreateToken onCreated={read} />
      {revoking !== undefined && (
        <RevokeDialog
          name={revoking.name}
          onClose={() => {
            setRevoking(undefined);
            read();
          }}
        />
      )}
    </section>
  );
}
