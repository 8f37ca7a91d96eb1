import type { ReactElement } from 'react';
import { useIsPythonHost, useStore } from '../../parts/app-context.ts';
import { Command } from '../../parts/command.tsx';

/** The commands that add a model without this page. */
export function OtherWays({ modelId = 'ORG/NAME' }: { readonly modelId?: string | undefined }): ReactElement {
  const url = useStore().topics.health?.advertised?.url ?? 'http://THIS-MACHINE:58080';
  const isPython = useIsPythonHost();
  return (
    <section className="card stack" aria-labelledby="other-ways">
      <h2 id="other-ways">From a folder or another tool</h2>
      <div className="way">
        <p>A folder or file of your own, on any machine with skulk:</p>
        <Command text="skulk add PATH --as ORG/NAME" />
      </div>
      <div className="way">
        <p>A model from Hugging Face, in a terminal:</p>
        <Command text={`skulk download ${modelId}`} />
      </div>
      {!isPython && (
        <div className="way">
          <p>Another program that downloads from Hugging Face. The store fetches what it lacks:</p>
          <Command text={`HF_ENDPOINT=${url} hf download ${modelId}`} />
        </div>
      )}
    </section>
  );
}
