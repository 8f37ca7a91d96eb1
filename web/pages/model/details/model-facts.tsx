import type { ReactElement, ReactNode } from 'react';
import type { ShownModel } from '../../../../src/core/protocol/models/shown-model.ts';
import { Age } from '../../../parts/age.tsx';
import { CopyButton } from '../../../parts/copy-button.tsx';
import { formatBytes, plural } from '../../../parts/format.ts';
import { Link } from '../../../parts/link.tsx';
import { pathOfModel } from '../../../parts/model-path.ts';

/** What is known of a model; what nobody knows is left out. */
export function ModelFacts({ model }: { readonly model: ShownModel }): ReactElement {
  const { digest, revision, commit, source, companions } = model;
  return (
    <dl className="facts">
      <Fact name="Size">
        {formatBytes(model.total_bytes)} in {plural(model.files.length, 'file')}
      </Fact>
      <Fact name="Added">
        <Age at={model.downloaded_at} />
        {source !== null && <span className="muted"> {sources[source] ?? source}</span>}
      </Fact>
      {revision !== null && (
        <Fact name="Revision">
          {revision}
          {commit !== null && (
            <>
              {' '}
              <code title={commit}>{commit.slice(0, 12)}</code>
            </>
          )}
        </Fact>
      )}
      <Fact name="Digest">
        {digest === null ? (
          <span className="muted">
            {source === 'python-store'
              ? 'unknown: the store is the Python Skulk; files are hashed when they are staged'
              : 'being computed; nodes can stage the model afterwards'}
          </span>
        ) : (
          <span className="digest">
            <code title={digest}>sha256:{digest.slice(0, 12)}…</code>
            <CopyButton text={`sha256:${digest}`} what="the digest" />
          </span>
        )}
      </Fact>
      {model.quantization !== null && <Fact name="Quantization">{model.quantization}</Fact>}
      {model.provenance !== undefined && (
        <Fact name="Made from">
          <Link to={pathOfModel(model.provenance.source_model)}>{model.provenance.source_model}</Link>{' '}
          <span className="muted">
            by {model.provenance.engine} {model.provenance.engine_version} {model.provenance.arguments.join(' ')}
            {model.provenance.achieved_bpw !== null && `, ${model.provenance.achieved_bpw} bits per weight`}
          </span>
        </Fact>
      )}
      {model.family !== null && <Fact name="Family">{model.family}</Fact>}
      {model.context_length !== null && <Fact name="Context">{model.context_length.toLocaleString('en')} tokens</Fact>}
      {model.parameters !== null && <Fact name="Parameters">{model.parameters.toLocaleString('en')}</Fact>}
      {model.license !== null && <Fact name="License">{model.license}</Fact>}
      {model.base_model !== null && <Fact name="Base model">{model.base_model}</Fact>}
      {companions.length > 0 && (
        <Fact name="Needs">
          <ul className="plain">
            {companions.map(({ model_id, role }) => (
              <li key={model_id}>
                <Link to={pathOfModel(model_id)}>{model_id}</Link> <span className="muted">({role})</span>
              </li>
            ))}
          </ul>
        </Fact>
      )}
    </dl>
  );
}

const sources: Readonly<Record<string, string>> = {
  hub: 'from Hugging Face',
  add: 'with skulk add',
  adopted: 'found in the store',
  optimized: 'with skulk optimize',
  'python-store': 'by the Python Skulk',
};

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
