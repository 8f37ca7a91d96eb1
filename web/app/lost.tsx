import type { ReactElement } from 'react';
import { useApp, useNode, useStore } from '../parts/app-context.ts';
import { Button } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Sentence } from '../parts/sentence.tsx';

/** Says that what is shown is how it was: this server, or the store behind it, does not answer. */
export function Lost(): ReactElement {
  const { store, node, restart, identity } = useApp();
  const [ofStore, ofNode] = [useStore(), useNode()];
  const problem = ofNode.problem ?? ofStore.problem;
  const retry = (): void => {
    store.retry();
    node.retry();
  };
  return (
    <div role="status">
      {restart.isRunning && (
        <div className="callout note lost">
          <Icon name="retry" />
          <p>skulk on {identity.hostname} is restarting. This page continues by itself.</p>
        </div>
      )}
      {problem !== null && !restart.isRunning && (
        <div className="callout warn lost">
          <Icon name="warning" />
          <div>
            <p>
              <Sentence text={problem.message} /> {ofStore.round > 0 && 'This page shows the last known state; trying again…'}
              {ofStore.round === 0 && 'Trying again…'}
            </p>
            {problem.hint !== null && (
              <p className="muted">
                <Sentence text={problem.hint} />
              </p>
            )}
          </div>
          {problem.code === 'STORE_NOT_CONFIGURED' && <Link to="/settings">Settings</Link>}
          <Button icon="retry" onClick={retry}>
            Try now
          </Button>
        </div>
      )}
    </div>
  );
}
