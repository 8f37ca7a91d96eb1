import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, type Side } from '../measure.ts';
import { compare, type Measured, type Row, withoutPeer } from '../row.ts';
import { has, skulk } from '../world.ts';

/** One large file, from the store and from nginx. */
export const transfer: Row = {
  id: 'transfer',
  run: async (context) => {
    const { world, isQuick } = context;
    const bytes = (isQuick ? 0.5 : 2) * 1024 ** 3;
    const source = join(world.directory, 'source');
    mkdirSync(source);
    const sha256 = world.writeRandom(join(source, 'model.gguf'), bytes);
    const home = join(world.directory, 'host');
    const store = await world.serve(home);
    await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env: { SKULK_HOME: home } });
    const nginx = await world.nginx(join(home, 'store'));
    const out = join(world.directory, 'out');
    const prepare = (): void => {
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out);
    };
    const ours: Side = {
      label: 'skulk stage',
      prepare,
      command: `${skulk} stage bench/model -q`,
      env: { SKULK_HOME: out, SKULK_STORE: store.url },
      serverPids: store.pids,
    };
    if (nginx === undefined) return [withoutPeer('stage', 'nginx', '')];
    const url = `${nginx.url}/bench--model/model.gguf`;
    const their = (label: string, command: string): Side => ({ label, prepare, command, serverPids: nginx.pids });
    const peers = [
      { program: 'curl', most: 1.3, label: 'curl -o, nothing verified', command: `curl -sf -o ${out}/x ${url}` },
      {
        program: 'aria2c',
        most: 0.6,
        label: 'aria2c -x4, sha256 checked',
        command: `aria2c -q -x4 -s4 --checksum=sha-256=${sha256} -d ${out} -o x ${url}`,
      },
      {
        program: 'rclone',
        most: 0.7,
        label: 'rclone, then openssl',
        command: `rclone copyurl ${url} ${out}/x && openssl dgst -sha256 ${out}/x`,
      },
    ];
    const rows: Measured[] = [];
    for (const { program, most, label, command } of peers) {
      const name = `stage, every byte verified / ${label}`;
      rows.push(
        has(program)
          ? await compare(context, { name, ours, theirs: their(label, command), most, bytes })
          : withoutPeer(name, program, `<= ${most}`),
      );
    }
    const get = (from: string): string => `curl -sf -o /dev/null ${from}`;
    rows.push(
      await compare(context, {
        name: 'serve, thrown away / nginx, thrown away',
        ours: { label: 'skulk serve', command: get(`${store.url}/models/bench%2Fmodel/model.gguf`), serverPids: store.pids },
        theirs: { label: 'nginx', command: get(url), serverPids: nginx.pids },
        most: 1,
        bytes,
      }),
    );
    return rows;
  },
};
