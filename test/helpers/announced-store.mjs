// A machine that announces a store and records its requests: node announced-store.mjs ADDRESS HOSTNAME NODE_ID [ADVERTISED_URL]
import { createServer } from 'node:http';
import { Bonjour } from 'bonjour-service';

const [address, hostname, nodeId, advertisedUrl] = process.argv.slice(2);
const advertised = advertisedUrl && { url: advertisedUrl, because: 'it says so' };
const health = {
  store_path: '/srv',
  free_bytes: 1,
  total_bytes: 1,
  used_bytes: 0,
  models: 0,
  version: '9.9.9',
  instance: 'one',
  advertised,
};
const answers = { '/health': [200, health], '/registry': [200, []], '/store/registry': [200, { entries: [] }] };
createServer((request, response) => {
  const { method, url, headers } = request;
  process.stdout.write(`${JSON.stringify({ method, path: url, authorization: headers.authorization ?? null })}\n`);
  request.resume();
  const [status, body] = answers[url] ?? [404, { detail: 'no', code: 'MODEL_NOT_FOUND' }];
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}).listen(58080, '0.0.0.0', () => {
  const bonjour = new Bonjour({ interface: address, bind: '0.0.0.0' });
  const txt = { address, hostname, node_id: nodeId, version: '9.9.9' };
  bonjour.publish({ name: `skulk ${nodeId} 58080`, type: 'skulk-store', port: 58080, txt, disableIPv6: true, probe: false });
  process.stdout.write('ready\n');
});
