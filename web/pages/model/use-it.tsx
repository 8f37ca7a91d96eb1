import { type KeyboardEvent, type ReactElement, useId, useRef, useState } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';
import { listUses, type ProgramName, type ProgramUse, usedSelector, type Way } from '../../api/programs.ts';
import { useApp, useIsPythonHost, useNode } from '../../parts/app-context.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { findEndpoint } from './find-endpoint.ts';

const memory = 'skulk-program';

/** What to type for each program, with the address of this server. */
export function UseIt({ model }: { readonly model: ShownModel }): ReactElement {
  const { identity, access } = useApp();
  const [program, setProgram] = useState<string>(() => localStorage.getItem(memory) ?? '');
  const [chosen, setChosen] = useState<string>();
  const all = (model.quantizations ?? []).map(({ selector }) => selector);
  const used = {
    modelId: model.model_id,
    selector: chosen !== undefined && all.includes(chosen) ? chosen : all[0],
    files: model.files,
    tags: model.tags,
    baseModel: model.base_model,
  };
  const isPython = useIsPythonHost();
  const isHere = useNode().topics.storage?.models.some(({ model_id }) => model_id === model.model_id) === true;
  const endpoint = findEndpoint(location, identity, access);
  const problem = `the store host is the Python Skulk, which is not a Hub for other programs; stage the model on ${identity.hostname}, and this server sends that copy`;
  const uses = listUses(used, isPython && !isHere ? { ...endpoint, problem } : endpoint);
  const shown = uses.find((one) => one.program === program) ?? uses.find(isPossible) ?? uses[0];
  const choose = (name: ProgramName): void => {
    localStorage.setItem(memory, name);
    setProgram(name);
  };
  return (
    <section className="card" aria-labelledby="use-it">
      <div className="section-head">
        <h2 id="use-it">Use it</h2>
        {all.length > 1 && (
          <label className="inline-field">
            Quantization{' '}
            <select value={usedSelector(used)} onChange={(event) => setChosen(event.target.value)}>
              {all.map((selector) => (
                <option key={selector}>{selector}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {shown !== undefined && <Programs uses={uses} shown={shown} onChoose={choose} />}
    </section>
  );
}

const isPossible = ({ hub, staged }: ProgramUse): boolean => hub.lines !== undefined || staged.lines !== undefined;

function Programs({
  uses,
  shown,
  onChoose,
}: {
  readonly uses: readonly ProgramUse[];
  readonly shown: ProgramUse;
  readonly onChoose: (program: ProgramName) => void;
}): ReactElement {
  const panel = useId();
  const tabs = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = (uses.indexOf(shown) + step + uses.length) % uses.length;
    const next = uses[at];
    if (next === undefined) return;
    onChoose(next.program);
    tabs.current?.querySelectorAll<HTMLElement>('[role=tab]')[at]?.focus();
  };
  return (
    <>
      <div ref={tabs} role="tablist" aria-label="Programs" className="program-tabs" onKeyDown={move}>
        {uses.map((one) => (
          <button
            key={one.program}
            type="button"
            role="tab"
            id={`${panel}-${one.program}`}
            aria-selected={one === shown}
            aria-controls={panel}
            tabIndex={one === shown ? 0 : -1}
            className={isPossible(one) ? '' : 'impossible'}
            onClick={() => onChoose(one.program)}
          >
            {one.title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={panel} aria-labelledby={`${panel}-${shown.program}`} className="stack">
        <Snippet way={shown.hub} what={`the line for ${shown.title}`}>
          From this server. The machine needs no skulk.
        </Snippet>
        {shown.staged.lines !== undefined && (
          <Snippet way={shown.staged} what={`the line for ${shown.title} with skulk`}>
            With skulk on the machine: from a verified copy.
          </Snippet>
        )}
        {isPossible(shown) && <p className="muted">{shown.pitfall}</p>}
      </div>
    </>
  );
}

function Snippet({ way, what, children }: { readonly way: Way; readonly what: string; readonly children: string }): ReactElement {
  const text = way.lines?.join('\n');
  if (text === undefined) return <p className="callout note">{way.problem}</p>;
  return (
    <div>
      <p className="muted">{children}</p>
      <div className="snippet">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
        <pre tabIndex={0}>
          <code>{text}</code>
        </pre>
        <CopyButton text={text} what={what} />
      </div>
    </div>
  );
}
