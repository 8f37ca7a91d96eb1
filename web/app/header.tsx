import type { ReactElement } from 'react';
import type { LiveState } from '../api/live.ts';
import { countMoving } from '../pages/activity/moving.ts';
import { useApp, useNode, useStore } from '../parts/app-context.ts';
import { Link } from '../parts/link.tsx';
import { useRoute } from '../parts/route.ts';
import { AccessChip } from './access-chip.tsx';
import icon from './icon.svg';
import { pages } from './pages.ts';
import { ThemeChoice } from './theme-choice.tsx';

/** The top of every page: where one is, whose page it is, and whether it is live. */
export function Header(): ReactElement {
  const { path } = useRoute();
  const { identity } = useApp();
  return (
    <header className="top">
      <div className="top-inner">
        <Link to="/" className="brand">
          <img src={icon} alt="" width="26" height="26" />
          <span>skulk</span>
        </Link>
        <nav aria-label="Pages">
          <ul>
            {pages.map(({ to, name }) => (
              <li key={to}>
                <Link to={to} isCurrent={path === to || (to !== '/' && path.startsWith(`${to}/`))}>
                  {name}
                  {to === '/activity' && <Moving />}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="top-end">
          <AccessChip />
          <Connection hostname={identity.hostname} />
          <ThemeChoice />
        </div>
      </div>
    </header>
  );
}

/** How many jobs run now; its place is kept when there are none, so that nothing beside it moves. */
function Moving(): ReactElement {
  const count = countMoving(useStore().topics, useNode().topics, useApp().identity.node_id);
  return <span className="moving-count">{count > 0 && <span className="badge move">{count}</span>}</span>;
}

const words: Readonly<Record<LiveState<object>['status'], string>> = { live: 'live', connecting: 'connecting', lost: 'reconnecting' };

function Connection({ hostname }: { readonly hostname: string }): ReactElement {
  const [store, node] = [useStore(), useNode()];
  const { identity } = useApp();
  const status = node.status === 'live' ? store.status : node.status;
  const host = store.topics.health?.hostname ?? '';
  const role = identity.role === 'store' ? 'store host' : host === '' ? 'node' : `node of ${host}`;
  return (
    <p className={`connection ${status}`} title={`${role}, ${words[status]}`}>
      <span className="dot" aria-hidden="true" />
      <span className="hostname">{hostname}</span>
      <span className="connection-role">{role},</span>
      <span className="connection-word">{words[status]}</span>
    </p>
  );
}
